"""What can go wrong with the store itself: one line each, with the way out.

A refusal that AWS itself would answer is no error of the store; it travels to the client as AWS's response.
"""

from __future__ import annotations

from simulator.base.errors import CouldNotFinish, ExitCode


class StoreError(CouldNotFinish):
    """The store cannot do what was asked of it; the text is one line for the person at the terminal."""


class PortInUse(StoreError):
    """Another program listens on the port that was asked for."""

    exit_code = ExitCode.WRONG_INPUT


class StoreStartFailed(StoreError):
    """The store's process ended, or did not answer, before it served its first request."""


class StoreDied(StoreError):
    """The store's process ended although nobody stopped it; the text carries what it said last."""


class ControlRefused(StoreError):
    """The store answers, but not to this control call: an unknown queue or table, or a value out of range."""
