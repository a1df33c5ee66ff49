"""The audit and the consumer's settings: settings that no object needed, and objects that hold no data at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.audited import EXACT, REJECTED, Scene
from simulator.proof.account import ObjectsAtRest

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNUSED = {
    "COMMENT": "COMMENT is set to '#' and no object had such a line",
    "DECIMAL_SEPARATOR": "DECIMAL_SEPARATOR is set to ',' and no object had a number with it",
    "DELIMITER": "DELIMITER is set to 'semicolon' and no object had columns that it separates",
    "ENCODING": "ENCODING is set to 'cp1252' and no object had a character beyond ASCII",
    "NULL_VALUES": "NULL_VALUES is set to '-' and no object had such a cell",
    "NUMBERS": "NUMBERS is set to 'lenient' and no object had a number that is not written as in JSON",
    "TIMESTAMP_FORMAT": "TIMESTAMP_FORMAT is set to '%d.%m.%Y' and no object had a timestamp in this format",
    "TIME_ZONE": "TIME_ZONE is set to 'Asia/Tokyo' and no object had a time of day without a zone",
}
ENVIRON = {
    "TICKER_COLUMN": "n",
    "COMMENT": "#",
    "DECIMAL_SEPARATOR": ",",
    "DELIMITER": "semicolon",
    "ENCODING": "cp1252",
    "NULL_VALUES": "-",
    "NUMBERS": "lenient",
    "TIMESTAMP_FORMAT": "%d.%m.%Y",
    "TIME_ZONE": "Asia/Tokyo",
}


async def test_settings_that_no_object_needed_are_named(empty: Scene) -> None:
    """Each has a sentence; the verdict is the same without it."""
    await empty.put("stocks/a.csv", "sep=|\ndate|n\n")
    found = await empty.audit(environ=ENVIRON)
    assert found.unused_settings == tuple(sorted(UNUSED))
    assert found.notes == UNUSED
    assert (found.verdict, found.parsed_rows) == ("exact", 0)


async def test_a_setting_that_one_object_needed_is_not_named(empty: Scene) -> None:
    """It holds whether its message is in a queue or not, and whether it can be read to its end or not."""
    environ = {
        "NULL_VALUES": "-",
        "COMMENT": "#",
        "NUMBERS": "lenient",
        "TIME_ZONE": "UTC",
        "TIMESTAMP_FORMAT": "%d %Y",
    }
    await empty.put("stocks/a.csv", "ticker,date,n\nA,2024-01-02,-\n")
    await empty.put("stocks/b.csv", "#\nticker,date,n\n")
    await empty.put("stocks/c.csv", "date,n\n2024-01-02,+1\n2024-01-02,2\n")
    found = await empty.audit(environ=environ, dead_lettered=("stocks/b.csv", "stocks/c.csv"))
    assert found.unused_settings == ("TIMESTAMP_FORMAT",)


async def test_where_no_object_was_read_it_is_unknown_which_settings_are_needed(empty: Scene) -> None:
    """There may be no object, or none with a header."""
    assert (await empty.audit(environ=ENVIRON)).unused_settings == ()
    await empty.put("stocks/a.csv", "")
    found = await empty.audit(environ=ENVIRON, dead_lettered=("stocks/a.csv",))
    assert (found.unused_settings, found.notes) == ((), {})


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("stocks/_SUCCESS", ""),
        ("stocks/sub/.part-0.csv.crc", "ticker,date\nA,2024-01-02\n"),
        ("stocks/_committed_1", "\x00\x01"),
        ("stocks/sub/", ""),
        ("stocks/", ""),
    ],
)
async def test_an_object_that_is_not_data_has_no_rows(scene: Scene, key: str, body: str) -> None:
    """Its name, or an empty content with a folder's key, decides: nothing is missing, whatever it holds."""
    await scene.put(key, body)
    assert await scene.audit() == EXACT
    assert await scene.audit(dead_lettered=(key,)) == replace(EXACT, dead_lettered=ObjectsAtRest(1, 0, 0))


@pytest.mark.parametrize("key", ["stocks/_sub/a.csv", "stocks/.sub/a_.csv", "stocks/sub/"])
async def test_an_object_of_a_hidden_folder_or_with_something_in_it_is_data(scene: Scene, key: str) -> None:
    """Only the last part of a key hides it."""
    await scene.put(key, "ticker,date\nA,2024-01-02\n")
    found = await scene.audit()
    assert (found.verdict, found.missing, found.parsed_rows) == ("differs", 1, 7)


async def test_rows_rejected_of_an_object_that_is_not_data_are_extra(scene: Scene) -> None:
    """The consumer should not have read it."""
    await scene.put("stocks/_SUCCESS", "x")
    await scene.put_rejected(REJECTED, key="rejected/stocks/_SUCCESS.jsonl")
    found = await scene.audit()
    assert (found.verdict, found.extra) == ("differs", 1)
    said = "stocks/_SUCCESS line 4: recorded as rejected, but the object has no such rejected row"
    assert found.differences == (said,)
