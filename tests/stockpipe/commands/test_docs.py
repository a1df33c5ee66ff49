"""The documentation that comes with stockpipe, and that messages name only pages that it has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from simulator.base.errors import InputError
from stockpipe.commands import docs

ROOT = Path(__file__).resolve().parents[3]


def test_pages_are_listed_and_shown() -> None:
    """By name and title; a page as Markdown where nobody watches."""
    listed = CliRunner().invoke(cli.app, ["docs"]).stdout
    assert re.search(r"(?m)^bounds +Bounds$", listed)
    assert len(listed.splitlines()) == len(docs.pages()) + 2
    shown = CliRunner().invoke(cli.app, ["docs", "bounds"]).stdout
    assert shown == (ROOT / "docs" / "bounds.md").read_text(encoding="utf-8")
    assert docs.read("docs/bounds.md") == shown
    assert json.loads(docs.read("deployer-policy"))["Version"]


@pytest.mark.parametrize("name", ["../README", "/etc/passwd", "..", "", "\0", "x" * 5_000])
def test_only_pages_are_shown(name: str) -> None:
    """Nothing beside them, whatever is written."""
    with pytest.raises(InputError, match="there is no page"):
        docs.read(name)


def test_a_page_on_a_terminal_is_laid_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Rendered, through the person's pager, or without it where it does not exist."""
    paged: list[str] = []
    monkeypatch.setattr("pydoc.pager", paged.append)
    for name in ("LESS", "PAGER"):
        monkeypatch.delenv(name, raising=False)
    docs._page("# Title\n\nSome `code`.")
    assert "Title" in paged[0]
    assert "# Title" not in paged[0]
    monkeypatch.setenv("PAGER", "no-such-pager -x")
    docs._page("# Another\n")
    assert len(paged) == 1
    assert "Another" in capsys.readouterr().out


def test_a_message_names_only_pages_that_exist() -> None:
    """`stockpipe docs PAGE` in code and documents; a path such as docs/bounds.md is in no text that a user is shown."""
    files = [file for name in ("simulator", "stockpipe", "pipeline") for file in (ROOT / name).rglob("*.py")]
    named = set()
    for file in (*files, ROOT / "cli.py", *(ROOT / "docs").glob("*.md")):
        named |= set(re.findall(r"`?stockpipe docs ([a-z-]+)", file.read_text(encoding="utf-8")))
    assert named
    assert named <= set(docs.pages())
    for name in [str(command.name) for command in cli.app.registered_commands]:
        assert "docs/" not in CliRunner().invoke(cli.app, [name, "--help"]).stdout
