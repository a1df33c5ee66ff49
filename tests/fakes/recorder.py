"""Keeps what the rooms record."""

from __future__ import annotations

from typing import TypeVar

from simulator.base.observations import LogWritten, Observation

Kind = TypeVar("Kind")


class Recorder(list[Observation]):
    """Observations in the order of their arrival."""

    def of(self, kind: type[Kind]) -> list[Kind]:
        """The observations of one kind."""
        return [observation for observation in self if isinstance(observation, kind)]

    def lines(self) -> list[str]:
        """The log lines."""
        return [observation.line for observation in self.of(LogWritten)]
