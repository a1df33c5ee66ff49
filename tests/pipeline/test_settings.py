"""Settings: both sides of each bound, and the template's bounds compared with the handlers'."""

from __future__ import annotations

import pytest

from pipeline.functions import ConsumerSettings, GeneratorSettings
from pipeline.settings import SettingsError, choice_setting, integer_setting, prefix_setting, required_setting
from simulator.stack.template import load

PARAMETERS = {
    "FILE_COUNT": "FileCount",
    "ROWS_PER_FILE": "RowsPerFile",
    "TICKER_COUNT": "TickerCount",
    "OBJECT_CONCURRENCY": "ObjectConcurrency",
    "WRITE_CONCURRENCY": "WriteConcurrency",
    "WRITE_RATE": "WriteRate",
}


@pytest.mark.parametrize("value", ["0", "-1", "11", "1.5", "1e1", "ten"])
def test_a_whole_number_beyond_its_bounds_is_refused(value):
    """So is anything but a whole number; the message names the setting."""
    with pytest.raises(SettingsError, match=r"^N="):
        integer_setting({"N": value}, "N", 5, 1, 10)


@pytest.mark.parametrize(("value", "read"), [("1", 1), ("10", 10), ("", 5)])
def test_a_bound_is_within(value, read):
    """Both ends are valid, and an empty text means the default."""
    assert integer_setting({"N": value}, "N", 5, 1, 10) == read


def test_a_required_setting_is_there():
    """An empty text counts as missing."""
    assert required_setting({"TABLE_NAME": "t"}, "TABLE_NAME") == "t"
    for environ in ({}, {"TABLE_NAME": ""}):
        with pytest.raises(SettingsError, match="TABLE_NAME is not set"):
            required_setting(environ, "TABLE_NAME")


@pytest.mark.parametrize(
    ("prefix", "allowed"), [("x" * 512, True), ("é" * 256, True), ("x" * 513, False), ("/", False)]
)
def test_a_prefix_has_at_most_512_bytes_and_does_not_begin_with_a_slash(prefix, allowed):
    """Half of what S3 allows for a key is left for the rest of it."""
    if allowed:
        assert prefix_setting({"KEY_PREFIX": prefix}, "KEY_PREFIX") == prefix
    else:
        with pytest.raises(SettingsError, match="must not begin with '/' nor exceed 512 bytes"):
            prefix_setting({"KEY_PREFIX": prefix}, "KEY_PREFIX")


def test_a_choice_is_one_of_its_words():
    """The first is the default."""
    assert [choice_setting({"C": text}, "C", ("a", "b")) for text in ("", "a", "b")] == ["a", "a", "b"]
    with pytest.raises(SettingsError, match="C='c' is not one of a, b"):
        choice_setting({"C": "c"}, "C", ("a", "b"))


def read_all(variables: dict[str, str]) -> None:
    """Both handlers' settings; a tick of one row, so that only the setting's own bound applies."""
    GeneratorSettings.from_environ({"BUCKET_NAME": "b", "FILE_COUNT": "1", "ROWS_PER_FILE": "1"} | variables)
    ConsumerSettings.from_environ({"TABLE_NAME": "t"} | variables)


@pytest.mark.parametrize(("setting", "parameter"), PARAMETERS.items())
def test_the_templates_bounds_are_the_handlers(setting, parameter):
    """The handler accepts what CloudFormation does, and both refuse the value beyond."""
    declared = load().document["Parameters"][parameter]
    read_all({setting: str(declared["MinValue"])})
    with pytest.raises(SettingsError, match=setting):
        read_all({setting: str(declared["MinValue"] - 1)})
    if "MaxValue" in declared:
        read_all({setting: str(declared["MaxValue"])})
        with pytest.raises(SettingsError, match=setting):
            read_all({setting: str(declared["MaxValue"] + 1)})
