"""A function's own figures: the metrics in its log lines, in CloudWatch's embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

NAMESPACE = "stockpipe"


def embedded_metrics(line: str) -> dict[str, float]:
    """The sums of the metrics that a log line declares under `NAMESPACE`, by name; empty when it declares none.

    A line that is not an embedded metric, or a malformed one, has none; CloudWatch ignores it as well.
    """
    return embedded_document(line)[1]


def embedded_document(line: str) -> tuple[Mapping[str, Any], dict[str, float]]:
    """The line's members and its metrics; both are empty if `embedded_metrics` is."""
    if '"_aws"' not in line:
        return {}, {}
    try:
        document = json.loads(line)
        ours = [each for each in document["_aws"]["CloudWatchMetrics"] if each["Namespace"] == NAMESPACE]
        values = {metric["Name"]: document[metric["Name"]] for directive in ours for metric in directive["Metrics"]}
        return document, {
            name: float(sum(value) if isinstance(value, list) else value) for name, value in values.items()
        }
    except (ValueError, TypeError, KeyError):
        return {}, {}
