"""How times and pairs are written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stockpipe.commands.load_test.options import parse_ramp, parse_steps
from stockpipe.commands.values import parse_assignment, parse_instant, parse_screenshot


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_instant, "2026-11-22T09:30:00Z", 1795339800.0),
        (parse_instant, "2026-11-22T10:30:00+01:00", 1795339800.0),
        (parse_instant, "2026-11-22T09:30", 1795339800.0),
        (parse_assignment, "FileCount=10", ("FileCount", "10")),
        (parse_assignment, "TimestampFormat=%d=%m", ("TimestampFormat", "%d=%m")),
        (parse_assignment, "BucketName=", ("BucketName", "")),
        *[(parse_screenshot, text, Path(text)) for text in ("a.svg", "a.b/c.SVG", "a", "/dev/null", "-", ".svg")],
        (parse_ramp, "10/s .. 90/m", (10.0, 1.5)),
        (parse_steps, "1/s, 2/s,3/s", (1.0, 2.0, 3.0)),
    ],
)
def test_text_becomes_its_value(parse: Callable[[str], Any], text: str, value: object) -> None:
    """Each way of writing means what the manual says."""
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *[(parse_instant, text) for text in ("", "noon", "2026-13-01")],
        *[(parse_assignment, text) for text in ("", "FileCount", "=5", "a b=5")],
        *[(parse_ramp, text) for text in ("", "10/s", "10/s..20")],
        *[(parse_steps, text) for text in ("", "10/s,")],
    ],
)
def test_anything_else_is_refused_with_an_example(parse: Callable[[str], Any], text: str) -> None:
    """The refusal shows how it is written."""
    with pytest.raises(ValueError, match=r"write .*\d"):
        parse(text)


@pytest.mark.parametrize(("text", "named"), [("a.png", "a.svg"), ("out/a.svg.gz", "out/a.svg"), ("a.pdf", "a.svg")])
def test_a_picture_of_another_kind_is_refused(text: str, named: str) -> None:
    """A file that is called PNG and holds SVG would open nowhere; the refusal has the name to use."""
    with pytest.raises(ValueError, match=f"only SVG is written; name it '{named}'$"):
        parse_screenshot(text)
