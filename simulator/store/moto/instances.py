"""Lets moto's objects be freed when nobody uses them any more."""

from __future__ import annotations

from simulator.store.moto.replacement import Replacement


def _install() -> None:
    from moto.core.common_models import BaseModel
    from moto.s3.models import FakeKey

    BaseModel.__new__ = staticmethod(lambda kind, *_, **__: object.__new__(kind))  # type: ignore[method-assign, assignment]
    # moto warns about an object that was never disposed of; before, it lived as long as the process.
    FakeKey.__del__ = lambda self: self.dispose()  # type: ignore[method-assign]


UNTRACKED = Replacement(
    name="moto.instances",
    functions={
        "moto.core.common_models:BaseModel.__new__": "08cf0ef20e88029a",
        "moto.s3.models:FakeKey.__del__": "5e2666415ddbd269",
    },
    why="every message, object and item that ever was is kept in a list for moto's own web page, so that the memory "
    "of a process grows with each request",
    keeps="everything but that list, which only moto's web page and its reset read",
    install=_install,
)
