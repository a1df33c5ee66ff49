"""Documents: what is read, what is too much, and the line that says so."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.base import documents
from simulator.base.documents import MAX_DEPTH, MAX_NODES, DocumentError, compose, from_json, plain


def read(text: str) -> Any:
    """The document as dictionaries, lists and scalars."""
    return plain(compose(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing", None),
        ("a: 1", {"a": 1}),
        ("[1.5, true, ~, x, '1', 0x10, 2020-01-01, =, <<]", [1.5, True, None, "x", "1", 16, "2020-01-01", "=", "<<"]),
        ("1: a", {"1": "a"}),
        ('{"a": [{"b": null}]}', {"a": [{"b": None}]}),
        ("a: &a [x]\nb: *a", {"a": ["x"], "b": ["x"]}),
        ("!!map {a: !!str 1}", {"a": "1"}),
        ("%YAML 1.1\n---\na: 1\n...", {"a": 1}),
        (f"a: {'9' * 100}", {"a": int("9" * 100)}),
    ],
)  # fmt: skip
def test_a_document_is_read(text: str, value: Any) -> None:
    """Dates stay text, as in CloudFormation; an alias is equal to its anchor's value."""
    assert read(text) == value


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("a: [", "not YAML: ", 1),
        ("a: 1\na: 2", "the key 'a' occurs twice in one mapping", 2),
        ("a: !x 1", "the tag !x is not supported", 1),
        ("a:\n- !!set {b}", "the tag !!set is not supported", 2),
        ("a: !!omap [b: 1]", "the tag !!omap is not supported", 1),
        ("a:\n  !!int x", "'x' cannot be read as !!int", 2),
        ("a: !!float x", "'x' cannot be read as !!float", 1),
        ("a: !!bool x", "'x' cannot be read as !!bool", 1),
        ("a: !!str [b]", "the tag !!str is not supported", 1),
        (f"a: {'9' * 101}", "a number of more than 100 characters", 1),
        ("a: 1\n---\nb: 1", "not YAML: but found another document", 2),
        ("a: 1\n\nb: *a", "not YAML: found undefined alias 'a'", 3),
        ("\na: &a [*a]", "the alias *a contains itself", 2),
        ("? [a]\n: b", "a key must be text", 1),
        ("a: &a {}\n<<: *a", "merge keys (<<) are not supported", 2),
        ('a: "\\0"', "the text has a character that cannot be used", 1),
        ('a: "\\ud800"', "the text has a character that cannot be used", 1),
        ('"\\0": 1', "the text has a character that cannot be used", 1),
        ('a: "\\UFFFFFFFF"', "not YAML: an escaped character is outside Unicode", None),
        ("\x07", "not YAML: unacceptable character", None),
        ("%TAG !a! b\n" * 30 + "--- 1", "cannot be read as YAML: more than 20 directives", None),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(text: str, said: str, line: int | None) -> None:
    """The first problem is reported."""
    with pytest.raises(DocumentError) as refused:
        read(text)
    assert str(refused.value).startswith(said)
    assert refused.value.line == line


def test_the_most_levels_are_read_and_one_more_is_not() -> None:
    """The values that an alias repeats count."""
    depth = MAX_DEPTH
    assert read("[" * depth + "]" * depth)
    half = depth // 2
    assert read(f"- &a {'[' * (half - 1)}{']' * (half - 1)}\n- {'[' * half}*a{']' * half}")
    for text in (
        "[" * (depth + 1) + "]" * (depth + 1),
        "{a: " * (depth + 1) + "1" + "}" * (depth + 1),
        f"- &a {'[' * half}{']' * half}\n- {'[' * half}*a{']' * half}",
        f"- &a [{'[' * half}{']' * half}, x]\n- {'[' * (half - 1)}*a{']' * (half - 1)}",
    ):
        with pytest.raises(DocumentError, match=f"nested more than {MAX_DEPTH} levels deep"):
            read(text)


def test_the_most_values_are_read_and_one_more_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys count, and so does each value that an alias repeats; here a thousand stand for the limit."""
    assert MAX_NODES == 100_000
    most = 1_000
    monkeypatch.setattr(documents, "MAX_NODES", most)
    assert len(read(f"[{','.join('1' * (most - 1))}]")) == most - 1
    ten = f"- &a [{','.join('1' * 9)}]\n"  # ten values with its list
    assert len(read(ten + "- *a\n" * 98)) == 99
    for text in (f"[{','.join('1' * most)}]", ten + "- *a\n" * 99, ten + "- {b: *a}\n" * 99):
        with pytest.raises(DocumentError, match=f"more than {most:,} values"):
            read(text)


def test_a_long_text_cannot_be_repeated_as_often() -> None:
    """Each thousand characters count as a value, wherever an alias repeats them."""
    text = f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 1_000)}]"
    with pytest.raises(DocumentError, match="more than 100,000 values"):
        compose(text)
    compose(text.replace("x" * 100_000, "x"))


def test_python_s_own_parser_is_held_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """If PyYAML has no libyaml, the same is read and refused."""
    monkeypatch.setattr(documents, "_FastLoader", documents._YamlLoader)
    assert read("a: &a [x]\nb: *a") == {"a": ["x"], "b": ["x"]}
    for text in ("[" * 5_000, "&a [*a]", "- " * 5_000, "a: &a [x,x]\nb: [" + "*a," * 60_000 + "]"):
        with pytest.raises(DocumentError):
            read(text)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON: Expecting value in line 1, column 1"),
        (b"\xff", "is not text in UTF-8"),
        (b"[" * 100_000, "is nested too deeply"),
        (b"[" * 65 + b"]" * 65, "is nested too deeply"),
        (b"NaN", "has NaN, which is not a number in JSON"),
        (b"[-Infinity]", "has -Infinity, which is not a number in JSON"),
        (b"1e101", "has the number 1e101, which is too large"),
        (b"-1e400", "has the number -1e400, which is too large"),
        (b"9" * 5_000, "has the number 99999"),
    ],
)
def test_json_that_cannot_be_used_is_named(content: bytes, said: str) -> None:
    """It covers what Python would accept as JSON, and what it would not survive."""
    with pytest.raises(DocumentError) as refused:
        from_json(content)
    assert str(refused.value).startswith(said)
    assert len(str(refused.value)) < 200


def test_json_is_read() -> None:
    """It may have a byte order mark and the most levels, and numbers stay as they are."""
    assert from_json(b'\xef\xbb\xbf{"a": [1, 1.5, true, null, "x"], "b": 1e100}') == {
        "a": [1, 1.5, True, None, "x"],
        "b": 1e100,
    }
    assert from_json(b"[" * 64 + b"]" * 64)
