"""A handler that writes what would steer a terminal: whoever watches the run sees it written out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.stack.packaged import packaged_template

Stockpipe = Callable[..., Any]
HANDLER = r"""
def handler(event, context):
    print("a\x1b[31m\x1b]0;title\x07 b\u202ec\rd")
    raise ValueError("x\x1b[2J\u2028y\nz")
"""


@pytest.mark.parametrize("ui", ["quiet", "plain", "live"])
def test_a_handler_does_not_steer_the_terminal(stockpipe: Stockpipe, tmp_path: Path, ui: str) -> None:
    """In its log lines under --tail, in the events and in the summary; what is printed has no control character."""
    (tmp_path / "hostile.py").write_text(HANDLER, encoding="utf-8")
    own = packaged_template().read_text(encoding="utf-8")
    text = own.replace("Handler: pipeline.generator.handler", "Handler: hostile.handler")
    assert text != own
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    where = ("--template", "t.yaml", "--code", ".", "--ticks", "1", "--drain-timeout", "0s", "--ui", ui)

    ended = stockpipe("simulate", *where, *([] if ui == "live" else ["--tail"]))

    printed = (ended.out + ended.err).replace("\n", "")
    assert printed.isprintable(), ascii(printed)
    if ui != "live":
        assert r"a\x1b[31m\x1b]0;title\x07 b\u202ec" in printed
    if ui != "quiet":
        assert r"ValueError: x\x1b[2J y z" in printed
