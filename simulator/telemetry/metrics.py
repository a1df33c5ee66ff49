"""A function's own figures: the metrics in its log lines, in CloudWatch's embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

NAMESPACE = "stockpipe"


def embedded_metrics(line: str, namespace: str = NAMESPACE) -> dict[str, float]:
    """The sums of the metrics that a log line declares under `namespace`, by name; empty when it declares none.

    A line that is no embedded metric, or a malformed one, has none: CloudWatch passes it over just so.
    """
    if '"_aws"' not in line:
        return {}
    try:
        document = json.loads(line)
        found = {}
        for name in _declared(document["_aws"]["CloudWatchMetrics"], namespace):
            value = document.get(name)
            found[name] = float(sum(value) if isinstance(value, list) else value)
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
    return found


def _declared(directives: list[dict[str, Any]], namespace: str) -> Iterator[str]:
    for directive in directives:
        if directive["Namespace"] == namespace:
            for metric in directive["Metrics"]:
                yield metric["Name"]
