"""How the files are written: the consumer's settings that decide what a row of an object is, as one value.

The proof's own reading of them. It follows docs/handlers.md, not the consumer's code: a mistake of one must not be
the mistake of both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from simulator.base.errors import InputError


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the settings say; None where the header, or ISO 8601, decides."""

    ticker_column: str | None = None
    timestamp_column: str | None = None
    timestamp_format: str | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Dialect:
        """From the consumer's variables. Raises `InputError`, naming the one that is malformed."""
        timestamp_format = environ.get("TIMESTAMP_FORMAT") or None
        if timestamp_format is not None and (reason := _bad_format(timestamp_format)) is not None:
            raise InputError(f"the consumer's TIMESTAMP_FORMAT={timestamp_format!r} is not a strptime format: {reason}")
        return cls(environ.get("TICKER_COLUMN") or None, environ.get("TIMESTAMP_COLUMN") or None, timestamp_format)


def _bad_format(timestamp_format: str) -> str | None:
    try:
        datetime.strptime("?", timestamp_format)  # noqa: DTZ007 - only the format is of interest
    except (ValueError, re.error, IndexError) as error:
        return None if str(error).startswith(("time data", "unconverted data")) else str(error)
    return None
