"""What must hold for the orders of `orders.jsonl`, whatever happened on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SENT = [json.loads(line) for line in (Path(__file__).parent / "orders.jsonl").read_text().splitlines()]


def every_order_once(app: Any) -> None:
    """Each order is in the table once, with its total, and none was given up."""
    stored = {(item["customer"], item["order"]): item for item in app.table("Orders").items()}
    orders = {(order["customer"], order["order"]): order for order in SENT}
    assert stored.keys() == orders.keys(), f"differ: {sorted(stored.keys() ^ orders.keys())}"
    for key, order in orders.items():
        total = sum(int(line["price"]) * line["quantity"] for line in order["lines"])
        assert stored[key]["total"] == total, f"{key}: {stored[key]['total']}, not {total}"
    assert not app.dead_letters(), "an order was given up"
