"""The example application, as its README runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from simulator.stack.rules import examine
from simulator.stack.template import load

ROOT = Path(__file__).resolve().parents[1]
ORDERS = ROOT / "examples" / "orders"


def test_the_example_is_small() -> None:
    """A dozen files at most, and a README of ten lines of text."""
    files = [file for file in ORDERS.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert len(files) <= 12
    assert len([line for line in (ORDERS / "README.md").read_text().splitlines() if line.strip()]) <= 10


def test_aws_would_accept_the_example() -> None:
    """Nothing is refused, nothing is advised against, and nothing keeps it from running here."""
    found = examine(load(ORDERS / "template.yaml"))
    assert (*found.violations, *found.advice, *found.failures, *found.obstacles) == ()


def test_every_order_is_stored_once(tmp_path: Path) -> None:
    """The README's run: 66 messages, 60 orders, its invariant, and the verdict of deliveries in place of an audit."""
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "stockpipe", "simulate", "--template", str(ORDERS / "template.yaml")),
            *("--send", str(ORDERS / "orders.jsonl"), "--invariant", "invariants:every_order_once"),
            *("--runtime", "inline", "--no-build", "--ui", "quiet", "--summary", "-"),
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    summary = json.loads(ended.stdout)
    deliveries = summary["deliveries"]
    assert (summary["audit"], deliveries["verdict"], deliveries["settled_once"]) == (None, "settled", True)
    assert (deliveries["sent"], deliveries["deleted"], deliveries["dead_lettered"]) == (66, 66, 0)
    assert summary["invariants"] == [
        {"name": "invariants:every_order_once", "held": True, "message": None, "where": None}
    ]
    assert summary["table"]["rows_written"] == 60
