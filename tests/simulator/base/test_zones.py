"""Time zones, whatever data the machine has."""

from __future__ import annotations

import pytest

from simulator.base.zones import zone, zone_names


def test_zones_come_from_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without zone data has them all."""
    monkeypatch.setattr("zoneinfo.TZPATH", ())
    assert {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"} <= zone_names()
    assert zone("America/Argentina/Buenos_Aires").key == "America/Argentina/Buenos_Aires"
