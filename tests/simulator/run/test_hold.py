"""What a run that is held says of what it keeps."""

from __future__ import annotations

from simulator.run.hold import held_lines
from simulator.twin.resources import Resources

URL = "http://127.0.0.1:5000"


def test_what_is_held_is_named_with_commands_to_look_at_it() -> None:
    """Endpoint, names, that nothing consumes, and commands that can be pasted as they are."""
    resources = Resources("my-bucket", f"{URL}/1/StockQueue", f"{URL}/1/StockDLQ", "StockData", {})
    lines = list(held_lines(URL, resources))
    assert lines[:2] == [
        "the store stays up at http://127.0.0.1:5000 until Ctrl-C, with",
        "  bucket my-bucket, table StockData, queue StockQueue, dead-letter queue StockDLQ",
    ]
    assert "nothing consumes" in lines[2]
    assert lines[-2:] == [
        "  aws --endpoint-url http://127.0.0.1:5000 s3 ls --recursive s3://my-bucket",
        "  aws --endpoint-url http://127.0.0.1:5000 dynamodb scan --table-name StockData --max-items 3",
    ]
    without = Resources("b", f"{URL}/1/StockQueue", None, "StockData", {})
    assert list(held_lines(URL, without))[1] == "  bucket b, table StockData, queue StockQueue"
