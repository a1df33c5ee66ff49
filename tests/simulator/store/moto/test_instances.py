"""The store's memory holds what it stores, and not all that it ever had."""

from __future__ import annotations

import weakref

import pytest

from simulator.store.front.application import FASTER
from simulator.store.moto.instances import UNTRACKED
from simulator.store.moto.replacement import MOTO_VERSION, install


def test_an_object_that_moto_no_longer_uses_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that nothing refers to is freed at once; stock moto keeps it in a list for ever."""
    from moto.core.common_models import BaseModel
    from moto.s3.models import FakeKey
    from moto.sqs.models import Message

    monkeypatch.setattr(Message, "instances_tracked", [])
    of_stock_moto = weakref.ref(Message("id", "body"))
    assert of_stock_moto() is not None
    monkeypatch.setattr(BaseModel, "__new__", BaseModel.__dict__["__new__"])
    monkeypatch.setattr(FakeKey, "__del__", FakeKey.__dict__["__del__"])
    assert install((UNTRACKED,), MOTO_VERSION) == {UNTRACKED.name}
    of_the_store = weakref.ref(Message("id", "body"))
    assert of_the_store() is None
    assert UNTRACKED in FASTER
