"""The README's sample: what it says becomes of a file is what the consumer makes of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pipeline.dialect import CsvDialect
from pipeline.items import ItemReader, Items
from pipeline.rows import RejectedRow

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def block_after(sentence: str) -> str:
    """The code block that follows a sentence."""
    found = re.search(r"```\n(.*?)```", README.partition(sentence)[2], re.DOTALL)
    assert found is not None, sentence
    return found[1]


def test_the_sample_file_becomes_the_items_and_the_rejection_that_the_readme_shows() -> None:
    """Two items, the second one as printed, and the record of the one row that is rejected."""
    reader = ItemReader("stocks/source/quotes.csv", CsvDialect())
    body = block_after("\nThis file\n").encode()
    found = [*reader.feed(body), *reader.feed(b"", final=True)]
    puts = [put for part in found if isinstance(part, Items) for put in part.puts]
    items = [json.loads(put)["PutRequest"]["Item"] for put in puts]
    (rejected,) = (part for part in found if isinstance(part, RejectedRow))
    assert len(items) == 2
    assert items[1] == json.loads(block_after("becomes two items"))
    record = {"line": rejected.line, "reason": rejected.reason, "row": list(rejected.row)}
    assert record == json.loads(block_after("and one rejected row"))
