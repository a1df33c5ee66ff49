"""What the project depends on is named once, explained once and pinned once."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_each_dependency_has_one_line_in_each_of_its_three_places() -> None:
    """pyproject.toml names it once, docs/dependencies.md has one row for it, constraints.txt one version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = sorted(re.match(r"[A-Za-z0-9-]+", line)[0].lower() for line in project["dependencies"])  # type: ignore[index]
    used = (ROOT / "docs/dependencies.md").read_text().partition("For development only")[0]
    explained = [cell.lower() for cell in re.findall(r"^\| ([A-Za-z0-9-]+)[^|]*\|", used, re.MULTILINE)]
    pinned = re.findall(r"^([A-Za-z0-9-]+)==", (ROOT / "constraints.txt").read_text().lower(), re.MULTILINE)
    assert named == sorted(set(named))
    assert {name: explained.count(name) for name in named} == dict.fromkeys(named, 1)
    assert {name: pinned.count(name) for name in named} == dict.fromkeys(named, 1)
    # Beyond Python's packages, one file of JavaScript comes along.
    assert set(explained) - set(named) - {"package", "---"} == {"uplot"}
