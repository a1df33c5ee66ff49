"""The program behind `make moto-suite`: what it makes of pytest's reports, and its list of known deviations."""

from __future__ import annotations

from pathlib import Path

import pytest

from moto_suite.outcomes import Outcome, compare, counts, read_known, read_report

KNOWN = Path(__file__).parent / "moto_suite" / "known.yaml"
REPORT = """<?xml version="1.0"?><testsuites><testsuite>
<testcase classname="tests.test_sqs" name="good"/>
<testcase classname="tests.test_sqs" name="bad[1]"><failure message="assert 1 == 2&#10;more">trace</failure></testcase>
<testcase classname="tests.test_sqs" name="broken"><error message="no fixture"/></testcase>
<testcase classname="tests.test_sqs" name="left out"><skipped message="not here"/></testcase>
<testcase classname="tests.test_sqs" name="bad end"/>
<testcase classname="tests.test_sqs" name="bad end"><error message="teardown"/></testcase>
</testsuite></testsuites>"""


def test_a_report_says_how_each_test_ended() -> None:
    """Failures, errors and skips have their text on one line; a test whose end fails has failed."""
    assert read_report(REPORT) == {
        "tests.test_sqs::good": Outcome("passed"),
        "tests.test_sqs::bad[1]": Outcome("failed", "assert 1 == 2 more"),
        "tests.test_sqs::broken": Outcome("failed", "no fixture"),
        "tests.test_sqs::left out": Outcome("skipped", "not here"),
        "tests.test_sqs::bad end": Outcome("failed", "teardown"),
    }
    assert counts(read_report(REPORT)) == "1 passed, 3 failed, 1 skipped"


@pytest.mark.parametrize(
    ("stock", "store", "listed", "verdict"),
    [
        ("passed", "passed", False, ""),
        ("passed", "failed", False, "new"),
        ("passed", "skipped", False, "new"),
        ("passed", None, False, "new"),
        ("passed", "failed", True, "known"),
        ("passed", "passed", True, "gone"),
        ("failed", "failed", False, ""),
        ("failed", "failed", True, "gone"),
        ("failed", "passed", False, ""),
        ("skipped", "skipped", False, ""),
        (None, "failed", False, ""),
        (None, None, True, "gone"),
    ],
)
def test_what_fails_with_the_store_alone_is_new_or_known(
    stock: str | None, store: str | None, listed: bool, verdict: str
) -> None:
    """A test that stock moto does not pass says nothing; what is listed and does not deviate must leave the list."""

    def outcome(result: str | None) -> dict[str, Outcome]:
        return {} if result is None else {"t": Outcome(result)}  # type: ignore[arg-type]

    found = compare(outcome(stock), outcome(store), {"t": "why"} if listed else {})
    assert (found.new, found.known, found.gone) == tuple(
        ["t"] if verdict == each else [] for each in ("new", "known", "gone")
    )
    assert found.good == (verdict in ("", "known"))


def test_the_list_says_what_aws_does_and_who_says_so() -> None:
    """Each test is on it once, with a sentence of AWS and its source."""
    known = read_known(KNOWN.read_text(encoding="utf-8"))
    assert all(name.startswith("tests.test_") and "::" in name for name in known)
    assert read_known("- {aws: it does, source: a page, tests: [t]}") == {"t": "it does (a page)"}
    for wrong in ("- {aws: x, tests: [t]}", "- {aws: x, source: y, tests: []}", "- {aws: '', source: y, tests: [t]}"):
        with pytest.raises(ValueError, match="has what AWS does"):
            read_known(wrong)
    with pytest.raises(ValueError, match="t is named twice"):
        read_known("[{aws: x, source: y, tests: [t]}, {aws: z, source: y, tests: [t]}]")
