"""What is said of this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from simulator.base import usage


def test_a_machine_has_a_system_a_processor_cores_and_memory() -> None:
    """Each in words or as a number."""
    found = usage.machine()
    assert list(found) == ["system", "processor", "cores", "memory_bytes"]
    assert found["system"]
    assert found["processor"]
    assert found["cores"] == os.cpu_count()
    assert isinstance(found["memory_bytes"], int)
    assert found["memory_bytes"] > 1_000_000


def test_what_a_command_uses_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real time from the beginning of the work; processor time and memory of the whole process."""
    seconds = iter((5.0, 7.5))
    monkeypatch.setattr(usage, "perf_counter", lambda: next(seconds))
    monkeypatch.setattr(usage, "process_time", lambda: 1.25)
    monkeypatch.setattr(usage, "process_memory_bytes", lambda: 3 * 2**20)
    assert usage.Used().as_json() == {"wall_s": 2.5, "cpu_s": 1.25, "memory_mb": 3.0}


@pytest.mark.parametrize(
    ("cpuinfo", "processor"),
    [
        ("flags: a\nmodel name\t: Some Chip 9000\n", "Some Chip 9000 (arm64)"),
        ("Hardware: x\n", "arm64"),
        (None, "arm64"),
    ],
)
def test_a_processor_is_named_as_well_as_the_system_knows(
    monkeypatch: pytest.MonkeyPatch, cpuinfo: str | None, processor: str
) -> None:
    """By its model, else by its architecture; macOS has no /proc."""

    def read(path: Path, **_: Any) -> str:
        if cpuinfo is None:
            raise FileNotFoundError(path)
        return cpuinfo

    monkeypatch.setattr(usage.Path, "read_text", read)
    monkeypatch.setattr(usage.platform, "machine", lambda: "arm64")
    monkeypatch.setattr(usage.platform, "processor", lambda: "")
    assert usage.machine()["processor"] == processor
