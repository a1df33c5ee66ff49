"""Receipt handles: what they carry, what they prove, and when a stale one deletes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.store.sqs.receipt_handles import ReceiptHandles, UnknownHandle, may_delete


@given(place=st.integers(0, 2**64 - 1), receives=st.integers(0, 2**32 - 1))
def test_a_handle_is_read_back(place: int, receives: int) -> None:
    """Whatever was given out is read back, over the whole range of both numbers."""
    handles = ReceiptHandles(b"secret")

    assert handles.read(handles.give(place, receives)) == (place, receives)


def test_another_queues_handle_is_unknown() -> None:
    """The seal is the queue's own: the same message and receive of another queue, or a changed handle, is refused."""
    handles, other = ReceiptHandles(b"one"), ReceiptHandles(b"another")
    given_out = handles.give(1, 1)

    for handle in (other.give(1, 1), given_out[:-4] + "AAAA", given_out[:-8], "AQEB", "", "made up", "é"):
        with pytest.raises(UnknownHandle):
            handles.read(handle)


@pytest.mark.parametrize(
    ("receive", "stale_deletes", "deleted"),
    [(2, False, True), (1, False, False), (1, True, True), (2, True, True)],
)
def test_a_stale_handle_deletes_in_moto_alone(receive: int, stale_deletes: bool, deleted: bool) -> None:
    """AWS deletes by the handle of the last receive (here the second); moto by any."""
    assert may_delete(receive, 2, stale_deletes=stale_deletes) is deleted
