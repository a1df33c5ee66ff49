"""What the tests of the simulator share: a clock that they move, and what was recorded."""

from __future__ import annotations

import pytest

from fakes.clock import ManualClock
from fakes.recorder import Recorder


@pytest.fixture
def clock() -> ManualClock:
    """A clock that moves only when told to."""
    return ManualClock(1_000_000.0)


@pytest.fixture
def recorded() -> Recorder:
    """A fresh recorder."""
    return Recorder()
