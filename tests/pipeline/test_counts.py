"""The figures of an invocation, under the names that the dashboard and the alarms request from CloudWatch."""

from __future__ import annotations

from pipeline.counts import ConsumerCounts


def test_an_invocation_begins_with_nothing_done():
    """Every figure is published, even zero, so that an alarm has data."""
    assert ConsumerCounts().metrics() == {
        "MessagesReceived": 0,
        "MessagesFailed": 0,
        "ObjectsIngested": 0,
        "ObjectsUnreadable": 0,
        "ObjectsGone": 0,
        "ObjectsSkipped": 0,
        "RowsRead": 0,
        "RowsWritten": 0,
        "RowsRejected": 0,
        "RowsDuplicate": 0,
        "RowsUnanswered": 0,
        "BytesRead": 0,
        "BatchWrites": 0,
        "UnprocessedItems": 0,
        "ThrottledRequests": 0,
    }
