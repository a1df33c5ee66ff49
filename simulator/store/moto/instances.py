"""Lets moto's objects be freed when nobody uses them any more."""

from __future__ import annotations

from simulator.store.moto.replacement import Replacement


def _install() -> None:
    from moto.core.common_models import BaseModel
    from moto.s3.models import FakeKey

    BaseModel.__new__ = staticmethod(lambda kind, *_, **__: object.__new__(kind))  # type: ignore[method-assign, assignment]
    # moto warns about an object that was never disposed of; before, it lived as long as the process.
    FakeKey.__del__ = lambda self: self.dispose()  # type: ignore[method-assign]


UNTRACKED = Replacement("moto.instances", _install)
