"""The moto server process, with AWS's rules in front of it, and its counters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.store.errors import ControlRefused, PortInUse, StoreDied, StoreError, StoreStartFailed
    from simulator.store.store import QueuedMessage, Store

__all__ = [
    "ControlRefused",
    "PortInUse",
    "QueuedMessage",
    "Store",
    "StoreDied",
    "StoreError",
    "StoreStartFailed",
]


def __getattr__(name: str) -> Any:
    """Import on use: the store's own process imports this package and needs none of its owner's side."""
    if name not in __all__:
        raise AttributeError(name)
    from simulator.store import errors, store

    return getattr(store if name in ("Store", "QueuedMessage") else errors, name)
