"""The verdicts of `stockpipe simulate` and what they mean to a script: the real command on files of its user's."""

from __future__ import annotations

import gzip
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from cli import app
from simulator.base.clients import DUMMY_CREDENTIALS

pytestmark = pytest.mark.usefixtures("unmeasured")

REPEATED = b"symbol,Trade Day,close\nABC,2026-01-01,1\nABC,2026-01-01,1.0\nABC,2026-01-01,2\nABC,2026-01-02,3\n"
AT_ONCE = ("--ui", "quiet", "--summary", "-")


def _source(folder: Path, **files: bytes) -> tuple[str, ...]:
    (folder / "source").mkdir()
    for name, body in files.items():
        (folder / "source" / f"{name}.csv").write_bytes(body)
    return "--source", str(folder / "source"), "--parameter", "TimestampColumn=Trade Day"


def test_overwritten_rows_are_a_loss(stockpipe: Callable, tmp_path: Path) -> None:
    """Verdict lossy, exit code 1: both lines are named, the key columns and how they were chosen, and the cure."""
    ended = stockpipe("simulate", *AT_ONCE, *_source(tmp_path, abc=REPEATED))

    audit = ended.summary["audit"]
    assert (ended.code, audit["verdict"]) == (1, "lossy")
    # The first two rows are the same, so that either of them is overwritten by the third.
    assert (audit["duplicates"], audit["overwritten"], audit["expected_rows"], audit["stored_rows"]) == (2, 2, 2, 2)
    assert audit["differences"] == [
        "ABC 2026-01-01: line 2 is overwritten by line 4, stocks/source/abc.csv: "
        "close is the number 1 in one and the number 2 in the other"
    ]
    (keys,) = audit["keys"]
    assert "the column 'symbol' (by its name) and the column 'Trade Day' (TIMESTAMP_COLUMN)" in keys
    assert "TickerColumn" in keys
    assert "TimestampColumn" in keys
    assert "--accept overwritten" in keys


def test_what_is_accepted_is_exact(stockpipe: Callable, tmp_path: Path) -> None:
    """With --accept overwritten the same run succeeds; the count stays, and nothing is named as a difference."""
    ended = stockpipe("simulate", *AT_ONCE, "--accept", "overwritten", *_source(tmp_path, abc=REPEATED))

    audit = ended.summary["audit"]
    assert (ended.code, audit["verdict"], audit["overwritten"], audit["differences"]) == (0, "exact", 2, [])
    assert ended.summary["options"]["accept"] == ["overwritten"]


def test_nothing_else_can_be_accepted() -> None:
    """A missing row is never meant: one line, exit code 2."""
    ended = CliRunner().invoke(app, ["simulate", *AT_ONCE, "--accept", "missing"])

    assert ended.exit_code == 2
    assert "'missing' is not a loss that can be accepted\n  hint: write overwritten" in ended.stderr


def test_the_text_of_a_lossy_run_says_what_to_do(stockpipe: Callable, tmp_path: Path) -> None:
    """For a person: the verdict first, the first rows, and the parameters that would mend the keys."""
    ended = stockpipe("simulate", "--ui", "plain", *_source(tmp_path, abc=REPEATED))

    text = " ".join((ended.out + ended.err).split())
    assert ended.code == 1
    assert "lossy rows were replaced by later rows of their object with the same key" in text
    assert "2 duplicates within an object (2 overwritten)" in text
    assert "line 2 is overwritten by line 4" in text
    assert "choose others with the template parameters TickerColumn and TimestampColumn" in text


def test_a_correction_under_the_same_key_is_no_invention(start: Callable) -> None:
    """An object that is put again: what only its earlier content explains is superseded, and the verdict exact."""
    running = start("simulate", *AT_ONCE, "--no-schedule", "--duration", "0s", "--ready", "ready.json")
    ready: dict[str, Any] = running.wait_ready()
    s3 = boto3.client("s3", endpoint_url=ready["endpoint"], region_name="us-east-1", **DUMMY_CREDENTIALS)
    dynamodb = boto3.client("dynamodb", endpoint_url=ready["endpoint"], region_name="us-east-1", **DUMMY_CREDENTIALS)
    bucket, table = ready["resources"]["bucket"], ready["resources"]["table"]

    def put(body: bytes) -> None:
        s3.put_object(Bucket=bucket, Key="stocks/vendor.csv", Body=body)

    def stored(key: str) -> bool:
        name = {"PK": {"S": "A"}, "SK": {"S": key}}
        return "Item" in dynamodb.get_item(TableName=table, Key=name, ConsistentRead=True)

    put(b"ticker,date,close\nA,2026-01-01,1\nA,someday,1\nA,2026-01-02,1\n")
    running.wait_for(lambda: stored("2026-01-02"), "the first content")
    put(gzip.compress(b"ticker,date,close\nA,2026-01-01,2\nA,2026-01-03,2\n"))
    running.wait_for(lambda: stored("2026-01-03"), "the second content")
    running.signal(signal.SIGINT)
    ended = running.finish()

    audit = json.loads(ended.out)["audit"]
    # The row that is gone and the record of the one that was rejected.
    assert (ended.code, audit["verdict"], audit["superseded"]) == (0, "exact", 2), audit
    assert (audit["extra"], audit["different"], audit["expected_rows"], audit["stored_rows"]) == (0, 0, 2, 3)


@pytest.mark.parametrize("setting", ["TickerColumn", "TimestampColumn"])
def test_a_column_that_the_header_lacks_is_never_guessed(tmp_path: Path, setting: str) -> None:
    """A slip of the finger sends nothing instead of storing something else; the column that was meant is named."""
    source = _source(tmp_path, abc=b"symbol,date,close\nABC,2026-01-01,1\n")[:2]
    ended = CliRunner().invoke(app, ["simulate", *AT_ONCE, *source, "--parameter", f"{setting}=Symbl"])

    assert (ended.exit_code, ended.stdout) == (2, "")
    nearest, cure = ("symbol", "leave out TickerColumn") if setting == "TickerColumn" else ("", "leave out Timestamp")
    assert (
        f"{'TICKER' if setting == 'TickerColumn' else 'TIMESTAMP'}_COLUMN 'Symbl' is not among the columns"
        in ended.stderr
    )
    assert f"the nearest is '{nearest}" in ended.stderr
    assert cure in ended.stderr
