"""Log lines and embedded metrics as CloudWatch reads them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from pipeline.counts import ConsumerCounts
from pipeline.log import Log


def log(lines: list[str], **options: str) -> Log:
    """A log that writes to this list, at a fixed instant."""
    return Log(lines.append, lambda: 1_795_340_400.5, "Consumer", **options)


def test_a_line_is_one_json_object_with_lambdas_keys():
    """Text beyond ASCII stays legible, line ends do not break the line, and anything can be a field."""
    lines: list[str] = []
    log(lines, request_id="r").info("object stored", key="stocks/é\n.csv", error=ValueError("x"))

    assert "\n" not in lines[0]
    assert "é" in lines[0]
    assert json.loads(lines[0]) == {
        "timestamp": "2026-11-22T09:40:00.500Z",
        "level": "INFO",
        "message": "object stored",
        "requestId": "r",
        "key": "stocks/é\n.csv",
        "error": "x",
    }


@pytest.mark.parametrize(
    ("level", "written"), [(None, 3), ("INFO", 3), ("WARN", 2), ("error", 1), ("FATAL", 0), ("?", 3)]
)
def test_the_level_is_lambdas(level, written):
    """`AWS_LAMBDA_LOG_LEVEL` decides what is written; metrics always are."""
    lines: list[str] = []
    target = log(lines, level=level)
    target.info("a")
    target.warn("b")
    target.error("c")
    target.of_invocation(None).metrics({"FilesWritten": 1})

    assert len(lines) == written + 1


@pytest.mark.parametrize(
    ("level", "borne"),
    [(None, "INFO"), ("TRACE", "INFO"), ("INFO", "INFO"), ("WARN", "WARN"), ("error", "ERROR"), ("FATAL", "FATAL")],
)
def test_lambda_keeps_metrics_at_every_level(level, borne):
    """Lambda drops a line below the function's level, and treats one without level or time as INFO."""
    lines: list[str] = []
    log(lines, level=level).metrics({"FilesWritten": 1})

    line = json.loads(lines[0])
    assert (line["level"], line["timestamp"]) == (borne, "2026-11-22T09:40:00.500Z")


@pytest.mark.parametrize(
    ("context", "function", "request_id"),
    [
        (None, "Consumer", None),
        (SimpleNamespace(function_name=None, aws_request_id="r"), "Consumer", "r"),
        (SimpleNamespace(function_name="stockpipe-Consumer-1A"), "stockpipe-Consumer-1A", None),
    ],
)
def test_metrics_are_those_of_the_function_that_lambda_names(context, function, request_id):
    """Its name is the dimension; outside Lambda, where no context names one, the log's own name is."""
    lines: list[str] = []
    log(lines).of_invocation(context).metrics({})

    line = json.loads(lines[0])
    assert (line["FunctionName"], line["requestId"]) == (function, request_id)


def test_properties_are_beside_the_metrics():
    """They can be searched for, and do not become metrics."""
    lines: list[str] = []
    log(lines).metrics({"FilesWritten": 3}, tick=1_795_340_400)

    line = json.loads(lines[0])
    assert (line["tick"], line["FilesWritten"]) == (1_795_340_400, 3)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert [metric["Name"] for metric in directive["Metrics"]] == ["FilesWritten"]


def test_metrics_follow_the_embedded_metric_format():
    """Every metric and dimension that the directive names is a member of the root; there are few of each."""
    lines: list[str] = []
    log(lines).metrics(ConsumerCounts(rows_written=3, bytes_read=9).metrics())

    line = json.loads(lines[0])
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert line["_aws"]["Timestamp"] == 1_795_340_400_500
    assert directive["Namespace"] == "stockpipe"
    assert directive["Dimensions"] == [["FunctionName"]]
    assert line["FunctionName"] == "Consumer"
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}["BytesRead"] == "Bytes"
    assert all(isinstance(line[metric["Name"]], int) for metric in directive["Metrics"])
    assert (line["RowsWritten"], line["BytesRead"]) == (3, 9)
    assert len(directive["Metrics"]) <= 100
