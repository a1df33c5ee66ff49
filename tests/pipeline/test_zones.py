"""Zones from the `tzdata` package: their names, and local time to UTC."""

from __future__ import annotations

from datetime import datetime, tzinfo

import pytest

from pipeline import zones
from pipeline.zones import named_zone, nearest_zone_name, utc_of, zone_names


@pytest.fixture(autouse=True)
def nothing_is_remembered():
    """Results from other tests are forgotten."""
    zone_names.cache_clear()
    named_zone.cache_clear()


def test_names_and_rules_are_those_of_the_package(monkeypatch):
    """They are not the machine's, which may have none or different ones."""
    monkeypatch.setattr("zoneinfo.TZPATH", ())
    assert {"UTC", "Etc/UTC", "America/New_York", "America/Argentina/Buenos_Aires"} < zone_names()
    for name in zone_names() - set(zones.UTC_NAMES):
        assert isinstance(named_zone(name), tzinfo)


@pytest.mark.parametrize("name", [None, "UTC", "Etc/UTC"])
def test_utc_needs_no_rules(name):
    """No name needs none either."""
    assert named_zone(name) is None


def test_a_zone_is_known_by_its_name():
    """Python's representation also shows it."""
    assert str(named_zone("America/Argentina/Buenos_Aires")) == "America/Argentina/Buenos_Aires"
    assert named_zone("Etc/GMT").utcoffset(datetime(2024, 1, 2)).total_seconds() == 0  # noqa: DTZ001 - local


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("America/NewYork", "America/New_York"),
        ("europe/berlin", "Europe/Berlin"),
        ("ASIA/CALCUTA", "Asia/Calcutta"),
        ("x" * 100_000, None),
        ("nowhere", None),
        ("Europe/Berlin" + " " * 1000, "Europe/Berlin"),
    ],
)
def test_a_name_that_is_none_has_a_nearest(name, nearest):
    """Case does not matter, and a long name matches by its beginning; None if nothing is similar."""
    assert name not in zone_names()
    assert nearest_zone_name(name) == nearest


@pytest.mark.parametrize(
    ("zone", "local", "utc"),
    [
        ("America/New_York", "2024-01-02 09:30", "2024-01-02 14:30"),
        ("America/New_York", "2024-03-10 01:59", "2024-03-10 06:59"),
        ("America/New_York", "2024-03-10 02:00", None),
        ("America/New_York", "2024-03-10 02:59", None),
        ("America/New_York", "2024-03-10 03:00", "2024-03-10 07:00"),
        ("America/New_York", "2024-11-03 01:30", "2024-11-03 05:30"),
        ("America/New_York", "2024-11-03 02:00", "2024-11-03 07:00"),
        ("Asia/Kolkata", "2024-01-02 00:00", "2024-01-01 18:30"),
    ],
)
def test_an_instant_is_the_first_that_clocks_show(zone, local, utc):
    """Where clocks go back, it is the earlier one; None for times that they skip."""
    found = utc_of(datetime.fromisoformat(local), named_zone(zone))
    assert found == (None if utc is None else datetime.fromisoformat(utc))


def test_there_are_years_without_utc():
    """They affect the first hours of the first year in the east, and the last ones of the last year in the west."""
    for zone, local in (("Asia/Tokyo", "0001-01-01"), ("America/New_York", "9999-12-31 23:00")):
        with pytest.raises(OverflowError):
            utc_of(datetime.fromisoformat(local), named_zone(zone))
