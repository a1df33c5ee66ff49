"""What `--help` shows."""

from __future__ import annotations

import re

import pytest
import typer
from typer.testing import CliRunner

from cli import app

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_defaults_that_are_told_in_words_are_shown(name: str) -> None:
    """A default that an option's text tells reaches the reader, and so does an example."""
    shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "400", "TERMINAL_WIDTH": "400"}).output
    texts = [getattr(parameter, "help", None) or "" for parameter in COMMANDS[name].params]
    for default in re.findall(r"\[default: [^\]]+\]", " ".join(texts)):
        assert default in shown
    assert f"stockpipe {name}" in shown
