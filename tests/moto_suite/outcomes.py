"""What pytest's reports say about each test, and where the store does worse than stock moto. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from xml.etree import ElementTree as ET

import yaml

Result = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test ended, and pytest's message for a failure or a skip."""

    result: Result
    text: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Tests by name: `new` fail only with the store and are not known, `known` fail as the list says.

    `gone` are known and no longer fail, or are not run.
    """

    new: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether the list is exactly right."""
        return not self.new and not self.gone


def read_report(xml: str) -> dict[str, Outcome]:
    """The outcomes in one of pytest's JUnit reports, by `tests.test_sqs.test_sqs::test_name`.

    A test whose teardown fails as well occurs twice; it counts as failed. Raises `xml.etree.ElementTree.ParseError`.
    """
    found: dict[str, Outcome] = {}
    for case in ET.fromstring(xml).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        outcome = _outcome(case)
        if name not in found or outcome.result == "failed":
            found[name] = outcome
    return found


def _outcome(case: ET.Element) -> Outcome:
    for kind, result in (("failure", "failed"), ("error", "failed"), ("skipped", "skipped")):
        element = case.find(kind)
        if element is not None:
            return Outcome(result, " ".join((element.get("message") or element.text or "").split()))  # type: ignore[arg-type]
    return Outcome("passed")


def read_known(text: str) -> dict[str, str]:
    """The list of known deviations: for each test, what AWS does and the source.

    Raises `ValueError` for an entry without both, and for a test that is named twice.
    """
    known: dict[str, str] = {}
    for entry in yaml.safe_load(text) or []:
        if not (entry.keys() == {"aws", "source", "tests"} and all(entry.values())):
            raise ValueError(f"an entry has what AWS does, its source and tests: {entry}")
        for name in entry["tests"]:
            if name in known:
                raise ValueError(f"{name} is named twice")
            known[name] = f"{entry['aws']} ({entry['source']})"
    return known


def compare(stock: Mapping[str, Outcome], store: Mapping[str, Outcome], known: Mapping[str, str]) -> Verdict:
    """The tests that stock moto passes and the store does not, compared with the `known` ones.

    A test that stock moto passed and that is not in the store's report counts as failed there.
    """
    passed = {name for name, outcome in stock.items() if outcome.result == "passed"}
    worse = {name for name in passed if name not in store or store[name].result != "passed"}
    return Verdict(
        new=sorted(worse - known.keys()), known=sorted(worse & known.keys()), gone=sorted(known.keys() - worse)
    )


def counts(outcomes: Mapping[str, Outcome]) -> str:
    """The numbers of passed, failed and skipped tests, in words."""
    results = [outcome.result for outcome in outcomes.values()]
    return ", ".join(f"{results.count(each)} {each}" for each in ("passed", "failed", "skipped"))
