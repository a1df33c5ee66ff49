"""The settings of each function, checked, as one value. No I/O; a malformed setting fails before any work begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.dialect import CsvDialect
from pipeline.market import MAX_TICKERS, SLOTS, Market
from pipeline.settings import SettingsError, choice_setting, integer_setting, prefix_setting, required_setting

SIGNED, CLIENT = "signed", "aiobotocore"
"""How batches are written: signed and sent by our own client, or by aiobotocore's."""
MAX_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class GeneratorSettings:
    """The generator's settings, checked."""

    bucket: str
    key_prefix: str
    market: Market

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> GeneratorSettings:
        """Raises `SettingsError`, naming the first setting that is missing or malformed."""
        market = Market(
            seed=integer_setting(environ, "SEED", 0, -(2**63), 2**63 - 1),
            files=integer_setting(environ, "FILE_COUNT", 50, 1, 10_000),
            rows=integer_setting(environ, "ROWS_PER_FILE", 100, 1, MAX_ROWS),
            tickers=integer_setting(environ, "TICKER_COUNT", 50, 1, MAX_TICKERS),
        )
        if market.rows_per_ticker > SLOTS:
            raise SettingsError(
                f"TICKER_COUNT={market.tickers} is too few for FILE_COUNT={market.files} x "
                f"ROWS_PER_FILE={market.rows}: a ticker has {SLOTS} distinct timestamps per tick"
            )
        return cls(required_setting(environ, "BUCKET_NAME"), prefix_setting(environ, "KEY_PREFIX"), market)


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    """The consumer's settings, checked."""

    table: str
    dialect: CsvDialect
    key_prefix: str
    rejected_prefix: str
    object_concurrency: int
    write_concurrency: int
    write_rate: int
    batch_writer: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> ConsumerSettings:
        """Raises `SettingsError`, naming the first setting that is missing or malformed."""
        key_prefix = prefix_setting(environ, "KEY_PREFIX")
        rejected_prefix = prefix_setting(environ, "REJECTED_PREFIX")
        # Rejected rows go to this prefix followed by a whole key, so part of the key's own prefix can match as well.
        if (rejected_prefix + key_prefix).startswith(key_prefix):
            raise SettingsError(
                f"REJECTED_PREFIX={rejected_prefix!r} puts rejected rows under KEY_PREFIX={key_prefix!r}: "
                "the consumer would ingest them in turn, endlessly"
            )
        return cls(
            required_setting(environ, "TABLE_NAME"),
            CsvDialect.from_environ(environ),
            key_prefix,
            rejected_prefix,
            integer_setting(environ, "OBJECT_CONCURRENCY", 4, 1, 64),
            integer_setting(environ, "WRITE_CONCURRENCY", 32, 1, 256),
            integer_setting(environ, "WRITE_RATE", 0, 0, 1_000_000),
            choice_setting(environ, "BATCH_WRITER", (SIGNED, CLIENT)),
        )
