"""The consumer's settings, as the proof reads them."""

from __future__ import annotations

import pytest

from simulator.base.errors import InputError
from simulator.proof.dialect import Dialect


@pytest.mark.parametrize(
    ("environ", "dialect"),
    [
        ({}, Dialect(None, None, None)),
        ({"TABLE_NAME": "t", "TICKER_COLUMN": "", "TIMESTAMP_COLUMN": "", "TIMESTAMP_FORMAT": ""}, Dialect()),
        ({"TICKER_COLUMN": "Who "}, Dialect(ticker_column="Who ")),
        ({"TIMESTAMP_COLUMN": "When"}, Dialect(timestamp_column="When")),
        ({"TIMESTAMP_FORMAT": "%b %d %Y"}, Dialect(timestamp_format="%b %d %Y")),
        ({"TIMESTAMP_FORMAT": "?"}, Dialect(timestamp_format="?")),
        ({"TIMESTAMP_FORMAT": "100%%"}, Dialect(timestamp_format="100%%")),
    ],
)
def test_the_consumers_variables_say_how_files_are_written(environ: dict[str, str], dialect: Dialect) -> None:
    """What is unset or empty is left to the header, and to ISO 8601."""
    assert Dialect.from_environ(environ) == dialect


@pytest.mark.parametrize("timestamp_format", ["%Q", "%", "%Y %", "%Y %Y", "%d%"])
def test_a_format_that_is_none_is_refused_in_one_line(timestamp_format: str) -> None:
    """It names the variable and the reason, whatever kind of mistake it is."""
    with pytest.raises(InputError) as refusal:
        Dialect.from_environ({"TIMESTAMP_FORMAT": timestamp_format})
    said = str(refusal.value)
    assert said.startswith(f"the consumer's TIMESTAMP_FORMAT={timestamp_format!r} is not a strptime format: ")
    assert "\n" not in said
