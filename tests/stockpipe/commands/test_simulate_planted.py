"""Defects planted in the handlers, each of which a run must find: the real command, with a handler that is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("unmeasured")

ROOT = Path(__file__).resolve().parents[3]

READS_OTHERWISE = """
from pipeline import text

plain_feed = text.RecordReader.feed


def feed(self, chunk, *, final=False):
    yield from plain_feed(self, change(self, chunk, final), final=final)


text.RecordReader.feed = feed
from pipeline.consumer import handler
"""
TAKES_ANOTHER_QUOTE = """
def change(reader, chunk, final):
    return chunk.translate(bytes.maketrans(b"\\"'", b"'\\""))
"""
LOSES_A_LAST_LINE_WITHOUT_NEWLINE = """
def change(reader, chunk, final):
    whole, end, rest = (getattr(reader, "kept", b"") + chunk).rpartition(b"\\n")
    reader.kept = rest
    return whole + end
"""
LOSES_ROWS_AT_SLICE_EDGES = """
def change(reader, chunk, final):
    begun, reader.begun = getattr(reader, "begun", False), True
    return chunk.partition(b"\\n")[2] if begun and chunk else chunk
"""
SWAPS_COLUMNS = """
def change(reader, chunk, final):
    return chunk.replace(b"open,high", b"high,open")
"""
DROPS_EACH_HUNDREDTH_LINE = """
def change(reader, chunk, final):
    lines = chunk.split(b"\\n")
    return b"\\n".join(line for number, line in enumerate(lines, 1) if number % 100)
"""
SKIPS_BAD_BYTES = """
def change(reader, chunk, final):
    return chunk.decode("utf-8", "ignore").encode()
"""
COUNTS_TWICE = """
from pipeline.counts import ConsumerCounts

plain_metrics = ConsumerCounts.metrics


def metrics(self):
    told = plain_metrics(self)
    return told | {"RowsWritten": 2 * told["RowsWritten"]}


ConsumerCounts.metrics = metrics
from pipeline.consumer import handler
"""
FAILS_EVERYTHING = """
def handler(event, context):
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}
"""
REPORTS_ROWS_THAT_IT_DID_NOT_WRITE = """
from pipeline.market import Market

plain_chunks = Market.csv_chunks


def csv_chunks(self, tick, number):
    body = b"".join(plain_chunks(self, tick, number)).splitlines(keepends=True)
    yield b"".join(body[: 1 + self.rows * 4 // 5])


Market.csv_chunks = csv_chunks
from pipeline.generator import handler
"""
CUTS_THE_LAST_ROW = """
from pipeline.market import Market

plain_chunks = Market.csv_chunks


def csv_chunks(self, tick, number):
    yield b"".join(b"".join(plain_chunks(self, tick, number)).splitlines(keepends=True)[:-1])


Market.csv_chunks = csv_chunks
from pipeline.generator import handler
"""
MAKES_THE_SAME_OBJECT_AGAIN = """
from pipeline.market import Market

plain_chunks = Market.csv_chunks


def csv_chunks(self, tick, number):
    return plain_chunks(self, tick, 0)


Market.csv_chunks = csv_chunks
from pipeline.generator import handler
"""
DOES_NOTHING = """
def handler(event, context):
    return None
"""
TICKS = ("--ticks", "1", "--files", "5", "--rows", "600")


@pytest.fixture
def run_planted(stockpipe: Callable, tmp_path: Path) -> Callable:
    """`stockpipe simulate` with this module as the handler of one of the functions; what came of it."""

    def run(function: str, code: str, *arguments: str) -> object:
        template = (ROOT / "pipeline" / "template.yaml").read_text("utf-8")
        assert f"pipeline.{function}.handler" in template
        (tmp_path / "template.yaml").write_text(template.replace(f"pipeline.{function}.handler", "planted.handler"))
        (tmp_path / "code").mkdir()
        (tmp_path / "code" / "planted.py").write_text(code)
        where = ("--template", str(tmp_path / "template.yaml"), "--code", str(tmp_path / "code"))
        return stockpipe("simulate", "--ui", "quiet", "--summary", "-", *where, *arguments)

    return run


def _source(folder: Path, body: bytes) -> tuple[str, str]:
    (folder / "source").mkdir()
    (folder / "source" / "abc.csv").write_bytes(body)
    return "--source", str(folder / "source")


QUOTED = b'date,note\n2024-01-02,"a,b"\n2024-01-03,"it\'s"\n2024-01-04,\'c\'\n'
WITHOUT_NEWLINE = b"date,n\n2024-01-02,1\n2024-01-03,2"
# Behind what --source looks at.
BAD_BYTES = b"date,note\n" + b"2024-01-01T00:00:00Z,plain\n" * 3_000 + b"2024-01-02,Soci\xe9t\xe9\n"


@pytest.mark.parametrize(
    ("code", "body"),
    [
        pytest.param(TAKES_ANOTHER_QUOTE, QUOTED, id="takes another quote"),
        pytest.param(LOSES_A_LAST_LINE_WITHOUT_NEWLINE, WITHOUT_NEWLINE, id="loses a last line without a newline"),
        pytest.param(LOSES_ROWS_AT_SLICE_EDGES, None, id="loses rows at slice edges"),
        pytest.param(SWAPS_COLUMNS, None, id="swaps columns"),
        pytest.param(DROPS_EACH_HUNDREDTH_LINE, None, id="drops each hundredth line"),
        pytest.param(SKIPS_BAD_BYTES, BAD_BYTES, id="skips bad bytes"),
    ],
)
def test_a_reader_that_reads_otherwise_is_found(
    run_planted: Callable, tmp_path: Path, code: str, body: bytes | None
) -> None:
    """The consumer's mistake is not the proof's: what it drops, cuts or changes is a difference, exit code 1."""
    rows = ("--ticks", "1", "--files", "2", "--rows", "2000")
    ended = run_planted("consumer", code + READS_OTHERWISE, *(_source(tmp_path, body) if body else rows))

    audit = json.loads(ended.out)["audit"]
    assert (ended.code, audit["verdict"]) == (1, "differs"), ended.err
    assert audit["missing"] + audit["different"] + audit["extra"] > 0


def test_a_consumer_that_counts_what_it_writes_twice_is_found(run_planted: Callable) -> None:
    """Its report is held against what the store counted, both figures are named."""
    ended = run_planted("consumer", COUNTS_TWICE, *TICKS)

    audit = json.loads(ended.out)["audit"]
    assert (ended.code, audit["verdict"], audit["missing"]) == (1, "differs", 0)
    assert "ConsumerLambda reports 6,000 rows written; the store accepted 3,000" in audit["differences"]


def test_a_generator_that_reports_rows_that_it_did_not_write_is_found(run_planted: Callable) -> None:
    """Its report is held against what lies in the bucket."""
    ended = run_planted("generator", REPORTS_ROWS_THAT_IT_DID_NOT_WRITE, *TICKS)

    audit = json.loads(ended.out)["audit"]
    assert (ended.code, audit["verdict"], audit["missing"]) == (1, "differs", 0)
    assert "GeneratorLambda reports 3,000 rows written; the bucket has 2,400" in audit["differences"]


def test_a_generator_that_cuts_the_last_row_of_each_object_is_found(run_planted: Callable) -> None:
    """One row less than asked in each of five objects."""
    ended = run_planted("generator", CUTS_THE_LAST_ROW, *TICKS)

    audit = json.loads(ended.out)["audit"]
    assert (ended.code, audit["verdict"]) == (1, "differs")
    assert "GeneratorLambda reports 3,000 rows written; the bucket has 2,995" in audit["differences"]


def test_a_generator_that_makes_the_same_object_again_is_found(run_planted: Callable) -> None:
    """Every row is in the table, under the key of another one: rows that are made up must differ in their keys."""
    ended = run_planted("generator", MAKES_THE_SAME_OBJECT_AGAIN, *TICKS)

    audit = json.loads(ended.out)["audit"]
    assert (ended.code, audit["verdict"], audit["missing"]) == (1, "differs", 0)
    assert audit["differences"] == ["GeneratorLambda wrote 3,000 rows, whose keys should all differ; only 600 do"]


def test_a_generator_that_does_nothing_is_found(run_planted: Callable) -> None:
    """It reports nothing, so it is held to what the schedule and its settings ask for."""
    ended = run_planted("generator", DOES_NOTHING, *TICKS)

    audit = json.loads(ended.out)["audit"]
    assert (ended.code, audit["verdict"]) == (1, "differs")
    assert audit["differences"] == [
        "GeneratorLambda was to write 5 objects with 3,000 rows; the bucket has 0 objects with 0 rows "
        "(1 invocation of GeneratorLambda ended without figures)"
    ]


def test_a_consumer_that_fails_everything_is_found(run_planted: Callable, tmp_path: Path) -> None:
    """Nothing is missing, since every message waits; and nothing is a success."""
    ended = run_planted(
        "consumer",
        FAILS_EVERYTHING,
        *_source(tmp_path, WITHOUT_NEWLINE),
        *("--drain-timeout", "20s", "--parameter", "VisibilityTimeout=2", "--parameter", "ConsumerTimeout=2"),
        *("--parameter", "MaxReceiveCount=2"),
    )

    summary = json.loads(ended.out)
    assert (ended.code, summary["queue"]["dead_lettered"]) == (1, 1), ended.err
