"""How durations, rates, times and pairs are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import typer

from stockpipe.commands.types import parse_assignment, parse_duration, parse_instant, parse_rate


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_duration, "90s", 90.0),
        (parse_duration, "5m", 300.0),
        (parse_duration, "1h30m", 5400.0),
        (parse_duration, "0s", 0.0),
        (parse_duration, "250ms", 0.25),
        (parse_duration, 60.0, 60.0),
        (parse_rate, "200/s", 200.0),
        (parse_rate, "30/m", 0.5),
        (parse_rate, "0.5/s", 0.5),
        (parse_instant, "2026-11-22T09:30:00Z", 1795339800.0),
        (parse_instant, "2026-11-22T10:30:00+01:00", 1795339800.0),
        (parse_instant, "2026-11-22T09:30", 1795339800.0),
        (parse_assignment, "FileCount=10", ("FileCount", "10")),
        (parse_assignment, "TimestampFormat=%d=%m", ("TimestampFormat", "%d=%m")),
        (parse_assignment, "BucketName=", ("BucketName", "")),
    ],
)
def test_text_becomes_its_value(parse: Callable[[Any], object], text: object, value: object) -> None:
    """Each way of writing means what the manual says; a default that is a value already stays."""
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *[(parse_duration, text) for text in ("", "5", "s", "5x", "-5s", "5 s", "1h x")],
        *[(parse_rate, text) for text in ("", "5", "0/s", "-1/s", "5/d", "/s")],
        *[(parse_instant, text) for text in ("", "noon", "2026-13-01")],
        *[(parse_assignment, text) for text in ("", "FileCount", "=5", "a b=5")],
    ],
)
def test_anything_else_is_refused_with_an_example(parse: Callable[[Any], object], text: str) -> None:
    """The refusal repeats the text and shows how it is written."""
    with pytest.raises(typer.BadParameter, match=r"write .*\d"):
        parse(text)
