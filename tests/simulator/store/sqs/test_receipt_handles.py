"""Receipt handles: what they contain, and what they prove."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.store.sqs.receipt_handles import UnknownHandle, give_handle, read_handle


@given(place=st.integers(0, 2**64 - 1), receives=st.integers(0, 2**32 - 1))
def test_a_handle_is_read_back(place: int, receives: int) -> None:
    """Whatever was given out can be read, over the whole range of both numbers."""
    assert read_handle(b"secret", give_handle(b"secret", place, receives)) == (place, receives)


def test_another_queues_handle_is_unknown() -> None:
    """The seal is the queue's own: a handle for the same message of another queue, or a changed one, is refused."""
    given_out = give_handle(b"one", 1, 1)

    changed = (given_out[:-4] + "AAAA", given_out[:-8], f"{given_out[:9]}!{given_out[9:]}")
    for handle in (give_handle(b"another", 1, 1), *changed, "AQEB", "AQEBAAAA", "", "made up", "é"):
        with pytest.raises(UnknownHandle):
            read_handle(b"one", handle)
