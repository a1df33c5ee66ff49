"""What keeps the project in order around the code: the workflow, the pages and their links, make's targets."""

from __future__ import annotations

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
WIDEST = 120
MADE_BY_A_PROGRAM = {"docs/commands.md"}
"""Pages whose sentences are those of help texts, a line each."""


@cache
def pages() -> tuple[Path, ...]:
    """Every page of text that git knows or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(ROOT / name for name in sorted(listed.split("\0")) if name and (ROOT / name).is_file())


def name_of(page: Path) -> str:
    """A page's path from the top."""
    return str(page.relative_to(ROOT))


def prose(page: Path) -> list[tuple[int, str]]:
    """The numbered lines of a page outside its code blocks."""
    fenced, lines = False, []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            lines.append((number, line))
    return lines


def anchors(page: Path) -> set[str]:
    """The fragments that a page's headings can be linked by, as GitHub makes them."""
    headings = [line.lstrip("#").strip() for _, line in prose(page) if re.match(r"#+ ", line)]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_workflow_runs_every_python_that_is_promised() -> None:
    """Linux with each version of the classifiers, macOS with one of them, and all of them by .ci/run."""
    (job,) = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"].values()
    matrix = job["strategy"]["matrix"]
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert matrix["python"] == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"
    assert f"CPython {promised[0]} to {promised[-1]}" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert [run["os"].partition("-")[0] for run in matrix["include"]] == ["macos"]
    assert {run["python"] for run in matrix["include"]} <= set(promised)
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]


@pytest.mark.parametrize("file", sorted(WORKFLOW.parent.glob("*.yml")), ids=lambda file: file.name)
def test_a_workflow_may_only_read_and_takes_fixed_actions(file: Path) -> None:
    """A changed action, or a token that leaks, cannot change the repository."""
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert "permissions" not in job
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action) for action in used), used


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link names a file that exists, and each fragment a heading in it."""
    text = "\n".join(line for _, line in prose(page))
    for target, fragment in re.findall(r"\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]*))?\)", text):
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), f"{page.name} -> {target}"
        if fragment:
            assert fragment in anchors(found), f"{page.name} -> {target}#{fragment}"


@pytest.mark.parametrize("page", [page for page in pages() if name_of(page) not in MADE_BY_A_PROGRAM], ids=name_of)
def test_prose_keeps_to_120_columns(page: Path) -> None:
    """A line is no wider than the code's, except in a table, in a code block, or for an address that cannot break."""
    wide = [
        number
        for number, line in prose(page)
        if len(line) > WIDEST and not line.startswith("|") and not re.search(r"https?://\S{60,}", line)
    ]
    assert wide == []


def test_make_help_lists_every_target() -> None:
    """Each has its line, but for those that `sam build` calls."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(" ".join(re.findall(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)).split())
    listed = set(re.findall(r"^([a-z-]+):.*## .+$", makefile, re.MULTILINE))
    assert listed == {name for name in phony if not name.startswith("build-")}
