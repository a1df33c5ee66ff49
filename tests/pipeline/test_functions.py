"""The functions' settings: their defaults, their bounds, and how a malformed one is named."""

from __future__ import annotations

import pytest

from pipeline.dialect import CsvDialect
from pipeline.functions import ConsumerSettings, GeneratorSettings
from pipeline.settings import SettingsError


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"BUCKET_NAME": ""}, "BUCKET_NAME is not set"),
        ({"FILE_COUNT": "ten"}, "FILE_COUNT='ten' is not a whole number"),
        ({"FILE_COUNT": "10001"}, "FILE_COUNT=10001 is not between 1 and 10000"),
        ({"ROWS_PER_FILE": "0"}, "ROWS_PER_FILE=0 is not between"),
        ({"TICKER_COUNT": "-1"}, "TICKER_COUNT=-1 is not between"),
        ({"SEED": "x"}, "SEED='x' is not a whole number"),
        ({"KEY_PREFIX": "/stocks/"}, "KEY_PREFIX='/stocks/' must not begin with '/'"),
        ({"FILE_COUNT": "10000", "ROWS_PER_FILE": "1000", "TICKER_COUNT": "5"}, "TICKER_COUNT=5 is too few"),
    ],
)
def test_a_bad_setting_of_the_generator_is_named(variables, message):
    """One line names it."""
    with pytest.raises(SettingsError, match=message):
        GeneratorSettings.from_environ({"BUCKET_NAME": "bucket"} | variables)


def test_what_the_generator_does_by_default():
    """The defaults are fifty files of a hundred rows of fifty tickers, from seed 0."""
    market = GeneratorSettings.from_environ({"BUCKET_NAME": "bucket"}).market

    assert (market.seed, market.files, market.rows, market.tickers) == (0, 50, 100, 50)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("SEED", -9223372036854775808, 9223372036854775807),
        ("FILE_COUNT", 1, 10_000),
        ("ROWS_PER_FILE", 1, 1_000_000),
        ("TICKER_COUNT", 1, 456_976),
    ],
)
def test_the_settings_of_the_generator_have_bounds(name, low, high):
    """Both ends are valid, beyond them is not; a seed has 64 bits, a ticker four letters."""
    others = {"BUCKET_NAME": "bucket", "TICKER_COUNT": "5000"}
    for value in (low, high):
        if name == "TICKER_COUNT":
            others |= {"FILE_COUNT": "1", "ROWS_PER_FILE": "1"}
        GeneratorSettings.from_environ(others | {name: str(value)})
    for value in (low - 1, high + 1):
        with pytest.raises(SettingsError, match=f"{name}={value} is not between {low} and {high}"):
            GeneratorSettings.from_environ(others | {name: str(value)})


def test_a_ticker_may_use_every_instant_of_a_tick():
    """A million rows of one ticker each have their own instant; one more would not."""
    variables = {"BUCKET_NAME": "bucket", "FILE_COUNT": "1", "TICKER_COUNT": "1", "ROWS_PER_FILE": "1000000"}
    assert GeneratorSettings.from_environ(variables).market.rows_per_ticker == 1_000_000
    with pytest.raises(SettingsError, match="TICKER_COUNT=1 is too few"):
        GeneratorSettings.from_environ(variables | {"FILE_COUNT": "2"})


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"TABLE_NAME": ""}, "TABLE_NAME is not set"),
        ({"REJECTED_PREFIX": "stocks/rejected/"}, "REJECTED_PREFIX='stocks/rejected/' puts rejected rows under"),
        ({"REJECTED_PREFIX": "a", "KEY_PREFIX": "aa"}, "endlessly"),
        ({"WRITE_CONCURRENCY": "0"}, "WRITE_CONCURRENCY=0 is not between"),
        ({"OBJECT_CONCURRENCY": "many"}, "OBJECT_CONCURRENCY='many' is not a whole number"),
        ({"TIMESTAMP_FORMAT": "%Q"}, "TIMESTAMP_FORMAT='%Q' is not a strptime format"),
        ({"TABLE_NAME": "T", "BATCH_WRITER": "boto3"}, "BATCH_WRITER='boto3' is not one of signed, aiobotocore"),
    ],
)
def test_a_bad_setting_of_the_consumer_is_named(variables, message):
    """One line names it; rejected rows that would be ingested again are refused in either direction."""
    with pytest.raises(SettingsError, match=message):
        ConsumerSettings.from_environ({"TABLE_NAME": "table"} | variables)


def test_an_empty_setting_is_an_unset_one():
    """A template's empty parameter arrives as an empty text."""
    names = (
        "TICKER_COLUMN",
        "TIMESTAMP_COLUMN",
        "TIMESTAMP_FORMAT",
        "REJECTED_PREFIX",
        "KEY_PREFIX",
        "WRITE_CONCURRENCY",
    )

    empty = ConsumerSettings.from_environ({"TABLE_NAME": "T"} | dict.fromkeys(names, ""))

    assert empty == ConsumerSettings.from_environ({"TABLE_NAME": "T"})
    assert (empty.rejected_prefix, empty.key_prefix) == ("rejected/", "stocks/")


def test_what_the_consumer_does_by_default():
    """The defaults are four objects at once, 32 requests at once, as fast as the table accepts, signed by us."""
    assert ConsumerSettings.from_environ({"TABLE_NAME": "T"}) == ConsumerSettings(
        table="T",
        dialect=CsvDialect.from_environ({}),
        key_prefix="stocks/",
        rejected_prefix="rejected/",
        object_concurrency=4,
        write_concurrency=32,
        write_rate=0,
        batch_writer="signed",
    )


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("OBJECT_CONCURRENCY", 1, 64), ("WRITE_CONCURRENCY", 1, 256), ("WRITE_RATE", 0, 1_000_000)],
)
def test_the_settings_of_the_consumer_have_bounds(name, low, high):
    """Both ends are valid, beyond them is not."""
    for value in (low, high):
        settings = ConsumerSettings.from_environ({"TABLE_NAME": "T", name: str(value)})
        assert getattr(settings, name.lower()) == value
    for value in (low - 1, high + 1):
        with pytest.raises(SettingsError, match=f"{name}={value} is not between {low} and {high}"):
            ConsumerSettings.from_environ({"TABLE_NAME": "T", name: str(value)})
