"""The moto server process, with AWS's rules in front of it, and its counters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.store.store import ControlRefused, PortInUse, QueuedMessage, Store, StoreDied

__all__ = ["ControlRefused", "PortInUse", "QueuedMessage", "Store", "StoreDied"]


def __getattr__(name: str) -> Any:
    """Import on first use: the store's own process imports this package and does not need its owner's side."""
    if name not in __all__:
        raise AttributeError(name)
    from simulator.store import store

    return getattr(store, name)
