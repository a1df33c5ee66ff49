"""What each operator of a filter pattern accepts, and the words in which a wrong operand is refused."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.stack.operators import OPERATORS, Number, PatternError, read_json, read_test


def passes(wanted: str, value: str) -> bool:
    """Whether a value, as JSON, passes the test that this JSON describes."""
    test = read_test(read_json(wanted, as_written=True))
    assert test is not None
    return test(read_json(value))


@pytest.mark.parametrize(
    ("wanted", "accepted", "rejected"),
    [
        ("null", ["null"], ['"null"', '""', "0", "false"]),
        ('""', ['""'], ["null", '" "', "0"]),
        ('"Alice"', ['"Alice"'], ['"alice"', '"Alice "', "null"]),
        ("true", ["true"], ["false", "1", '"true"']),
        ("false", ["false"], ["true", "0", "null"]),
        ("3", ["3", "3.0", "0.3e1", "30E-1"], ['"3"', "true", "3.1", "-3"]),
        ("0", ["0", "0.0", "-0"], ["false", "null", '"0"', "1e-400"]),
        ('{"prefix": "us-"}', ['"us-east-1"', '"us-"'], ['"eu-us-"', '"US-east-1"', "1", "null"]),
        ('{"prefix": ""}', ['""', '"x"'], ["1", "null"]),
        ('{"suffix": ".csv"}', ['"a.csv"', '".csv"'], ['".csv.gz"', '"a.CSV"', "1", "null"]),
        ('{"suffix": ""}', ['""', '"x"'], ["1", "null"]),
        ('{"equals-ignore-case": "aLIce"}', ['"Alice"', '"ALICE"'], ['"Alic"', '"Alicea"', "null"]),
        ('{"equals-ignore-case": ""}', ['""'], ['"x"', "null"]),
        ('{"prefix": {"equals-ignore-case": "Us-"}}', ['"us-east"', '"US-EAST"'], ['"aus-"', "1"]),
        ('{"suffix": {"equals-ignore-case": ".Csv"}}', ['"a.CSV"', '".csv"'], ['"a.csvx"', '"a.csv\\n"', "1"]),
        ('{"suffix": {"equals-ignore-case": ""}}', ['""', '"x"'], ["1"]),
        ('{"suffix": {"equals-ignore-case": "\\u0390"}}', ['"abc\\u0399\\u0308\\u0301"', '"\\u0390"'], ['"\\u0399"']),
        ('{"cidr": "10.0.0.0/24"}', ['"10.0.0.0"', '"10.0.0.255"'], ['"10.0.1.0"', '"::1"', '"10.0.0"', "10", "null"]),
        ('{"cidr": "0.0.0.9/8"}', ['"0.0.0.1"'], ["true", "1", "null"]),
        ('{"cidr": "2001:db8::/32"}', ['"2001:db8::1"'], ['"2001:db9::1"', '"10.0.0.1"']),
        ('{"exists": true}', ["null", '""', "0", "false"], []),
        ('{"anything-but": "a"}', ['"b"', '"A"', "1", "null", "true"], ['"a"']),
        ('{"anything-but": ["a", "b"]}', ['"c"', "null", "1"], ['"a"', '"b"']),
        ('{"anything-but": 3}', ["4", '"3"', "null"], ["3", "3.0"]),
        ('{"anything-but": [3, 4]}', ["5", '"3"'], ["3.0", "4e0"]),
        ('{"anything-but": {"prefix": "in"}}', ['"out"', "12", "null"], ['"init"', '"in"']),
        ('{"anything-but": {"prefix": ["in", "er"]}}', ['"out"', "12"], ['"init"', '"error"']),
        ('{"anything-but": {"suffix": ".gz"}}', ['"a.csv"', "12"], ['"a.gz"']),
        ('{"anything-but": {"suffix": [".gz", ".zip"]}}', ['"a.csv"', "12"], ['"a.gz"', '"a.zip"']),
        ('{"anything-but": {"equals-ignore-case": "Off"}}', ['"on"', "12", "null"], ['"OFF"', '"off"']),
        ('{"anything-but": {"equals-ignore-case": ["Off", "No"]}}', ['"on"', '"nothing"'], ['"OFF"', '"nO"']),
        ('{"anything-but": {"equals-ignore-case": ""}}', ['"x"'], ['""']),
        ('{"numeric": ["=", 3.018e2]}', ["301.8"], ["301.81", '"301.8"', "null", "true"]),
        ('{"numeric": [">", 0, "<=", 5]}', ["0.1", "5", "5.0"], ["0", "5.1", "-1", '"3"']),
        ('{"numeric": [">=", -5, "<", 5]}', ["-5", "0", "4.9"], ["5", "-5.1"]),
        ('{"numeric": ["<", 10]}', ["-1e300", "9"], ["10", "null"]),
        ('{"numeric": ["<=", 10]}', ["10"], ["10.1"]),
        ('{"numeric": [">", 10]}', ["1e300", "11"], ["10"]),
        ('{"numeric": [">=", 10]}', ["10"], ["9.9"]),
    ],
)
def test_operators(wanted: str, accepted: list[str], rejected: list[str]) -> None:
    """For every operator in AWS's table: what it accepts, and what is close to that and rejected."""
    assert [value for value in accepted if not passes(wanted, value)] == []
    assert [value for value in rejected if passes(wanted, value)] == []


def test_exists_false_is_not_a_test_of_a_value() -> None:
    """A test of a value cannot be that the value is absent."""
    assert read_test(read_json('{"exists": false}', as_written=True)) is None


@pytest.mark.parametrize(
    ("pattern", "accepted", "rejected"),
    [
        ("STRASSE", ["strasse"], ["stra\u00dfe"]),
        ("stra\u00dfe", ["STRASSE", "Stra\u00dfe"], ["strasse"]),
        ("\u00c9t\u00e9", ["\u00e9T\u00c9"], ["ete"]),
        ("\U00010400", ["\U00010400"], ["\U00010428"]),
        ("a.c", ["A.C"], ["abc"]),
    ],
)
def test_ignoring_case_goes_letter_by_letter(pattern: str, accepted: list[str], rejected: list[str]) -> None:
    """Each letter of the pattern matches its lower and upper case; texts are not folded as wholes."""
    test = OPERATORS["equals-ignore-case"](pattern)
    assert [test(each) for each in accepted] == [True] * len(accepted)
    assert [test(each) for each in rejected] == [False] * len(rejected)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3.0", 3.0),
        ("1e2", 100.0),
        ("0.1", 0.1),
        ("9007199254740992", 2.0**53),
        ("9007199254740993", None),
        ("0.1000000000000000055511151231257827", None),
        ("1e400", None),
        ("-1e400", None),
        ("1e-400", None),
        ("1e-99999999999999999999", None),
        ("9" * 5000, None),
    ],
)
def test_a_number_is_compared_only_if_a_double_has_its_digits(text: str, value: float | None) -> None:
    """Beyond a double's range or precision a number cannot be ordered."""
    assert Number(text).comparable() == value


def test_a_number_without_an_order_equals_its_own_digits() -> None:
    """An account number of 20 digits matches only as it is written."""
    assert passes("12345678901234567891", "12345678901234567891")
    assert not passes("12345678901234567891", "12345678901234567891.0")
    assert not passes('{"numeric": [">", 0]}', "12345678901234567891")
    assert not passes("12345678901234567891", "12345678901234567892")


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ('{"NUMERIC": ["=", 5]}', "Unrecognized match type NUMERIC"),
        ('{"wildcard": "a*"}', "Unrecognized match type wildcard"),
        ('{"cidr": "10.0.0.0/33"}', "Malformed CIDR"),
        ('{"cidr": 10}', "cidr match pattern must be a string"),
        ("{}", "Only one key allowed in match expression, not 0"),
        ('{"prefix": "a", "suffix": "b"}', "Only one key allowed in match expression, not 2"),
        ('{"prefix": "a", "prefix": "b"}', "Only one key allowed in match expression, not 2"),
        ('["a"]', "Match value must be a text, a number, true, false or null, not a list"),
        ('{"exists": "true"}', "exists match pattern must be either true or false"),
        ('{"exists": 1}', "exists match pattern must be either true or false"),
        ('{"prefix": 123}', "prefix match pattern must be a string"),
        ('{"prefix": ["a"]}', "prefix match pattern must be a string"),
        ('{"suffix": null}', "suffix match pattern must be a string"),
        ('{"prefix": {"suffix": "a"}}', "prefix does not take suffix"),
        ('{"suffix": {"equals-ignore-case": 1}}', "equals-ignore-case match pattern must be a string"),
        ('{"suffix": {}}', "Only one key allowed in match expression, not 0"),
        ('{"equals-ignore-case": ["a"]}', "equals-ignore-case match pattern must be a string"),
        ('{"equals-ignore-case": {"prefix": "a"}}', "equals-ignore-case match pattern must be a string"),
        ('{"numeric": 10}', "Value of numeric must be an array."),
        ('{"numeric": []}', "Value of numeric must have a comparison"),
        ('{"numeric": [10]}', "Bad numeric range operator: 10"),
        ('{"numeric": ["!=", 10]}', "Bad numeric range operator: !="),
        ('{"numeric": [">"]}', "Value of > must be numeric"),
        ('{"numeric": ["=", "3"]}', "Value of equals must be numeric"),
        ('{"numeric": [">", 0, "<"]}', "Value of < must be numeric"),
        ('{"numeric": [">", 0, ">", 0]}', "Bad numeric range operator: >"),
        ('{"numeric": ["<", 5, "<", 9]}', "Too many elements in numeric expression"),
        ('{"numeric": ["=", 5, "<", 9]}', "Too many elements in numeric expression"),
        ('{"numeric": [">", 0, "<", 5, "<"]}', "Too many elements in numeric expression"),
        ('{"numeric": [">", 5, "<", 5]}', "Bottom of a numeric range must be less than its top"),
        ('{"numeric": [">", 1e400]}', "Cannot compare number : 1e400"),
        ('{"anything-but": null}', "Value of anything-but must be an array or single string/number value."),
        ('{"anything-but": true}', "Value of anything-but must be an array or single string/number value."),
        ('{"anything-but": []}', "Inside anything but list, there must be a value"),
        ('{"anything-but": ["a", null]}', "Inside anything but list, start|null|boolean is not supported."),
        ('{"anything-but": ["a", 1]}', "Inside anything but list, all values must be texts, or all numbers"),
        ('{"anything-but": 1e400}', "Cannot compare number : 1e400"),
        ('{"anything-but": {"numeric": ["=", 5]}}', "anything-but does not take numeric"),
        ('{"anything-but": {"wildcard": "*"}}', "anything-but does not take wildcard"),
        ('{"anything-but": {}}', "Only one key allowed in match expression, not 0"),
        ('{"anything-but": {"prefix": ""}}', "Null prefix/suffix not allowed"),
        ('{"anything-but": {"suffix": ["a", ""]}}', "Null prefix/suffix not allowed"),
        ('{"anything-but": {"prefix": 123}}', "prefix/suffix match pattern must be a string"),
        ('{"anything-but": {"suffix": [null, "a"]}}', "prefix/suffix match pattern must be a string"),
        (
            '{"anything-but": {"prefix": {"equals-ignore-case": "a"}}}',
            "Value of anything-but must be an array or single string/number value.",
        ),
        (
            '{"anything-but": {"equals-ignore-case": [1]}}',
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
        ),
    ],
)
def test_wrong_operands_are_refused(wanted: str, reason: str) -> None:
    """The refusal is AWS's sentence if we have seen it."""
    with pytest.raises(PatternError) as refused:
        read_test(read_json(wanted, as_written=True))
    assert str(refused.value) == reason


@pytest.mark.parametrize("text", ["", "NaN", '{"a": -Infinity}', "{'a': 1}", "[" * 100_000, "1 2", '"a\nb"'])
def test_what_is_not_json_is_a_value_error(text: str) -> None:
    """Python's own additions to JSON are refused, and nesting that cannot be read does not crash."""
    with pytest.raises(ValueError, match=r"line 1|Extra data|control character|NaN|Infinity|nested too deeply"):
        read_json(text)


def test_objects_are_read_as_written_or_by_the_last_of_a_name() -> None:
    """A pattern may repeat a name; in an event the last of each name counts."""
    found: Any = read_json('{"a": 1, "a": {"b": true}}', as_written=True)
    assert found == (("a", Number("1")), ("a", (("b", True),)))
    assert read_json('{"a": 1, "a": {"b": true}}') == {"a": {"b": True}}
