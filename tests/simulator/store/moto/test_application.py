"""What is left to moto, and what is not."""

from __future__ import annotations

import pytest

from simulator.store.moto.application import LeftOn, LeftToMoto


def test_only_the_named_errors_are_left_to_moto() -> None:
    """Any other is our own, and shows; without an error the block has no effect."""
    with pytest.raises(LeftToMoto), LeftOn(KeyError, ValueError):
        raise UnicodeDecodeError("utf-8", b"", 0, 1, "is a ValueError")
    with pytest.raises(TypeError), LeftOn(KeyError, ValueError):
        raise TypeError
    with LeftOn(KeyError):
        LeftToMoto.when(None)
    with pytest.raises(LeftToMoto):
        LeftToMoto.when({"unusual": 1})
