"""A function's own figures: the metrics in its log lines, in CloudWatch's embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

NAMESPACE = "stockpipe"


def embedded_document(line: str) -> tuple[Mapping[str, Any], dict[str, float]]:
    """A log line's members, and the sums of the metrics that it declares under `NAMESPACE`, by name.

    A line that is not an embedded metric, or a malformed one, has neither; CloudWatch ignores it as well.
    """
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
