"""Replacements of moto's code know what they were written for, and stay off if that has changed."""

from __future__ import annotations

import weakref
from importlib.metadata import version

import pytest

from simulator.store.front.application import FASTER, STRICTER
from simulator.store.moto import replacement as replacements
from simulator.store.moto.replacement import (
    MOTO_VERSION,
    UNTRACKED,
    Replacement,
    ReplacementOff,
    changed_functions,
    descriptions,
    install,
)

ALL = (*FASTER, *STRICTER)


@pytest.mark.parametrize("replacement", ALL, ids=lambda each: each.name)
def test_every_replaced_function_is_the_one_it_was_written_against(replacement: Replacement) -> None:
    """The installed moto has the very source of each, and each says why it exists and what it keeps."""
    assert changed_functions(replacement) == []
    described = descriptions()[replacement.name]
    assert described["why"]
    assert described["keeps"]


def test_the_installed_moto_is_the_version_the_replacements_name() -> None:
    """Another version would work, but the differential tests ran with this one."""
    assert version("moto") == MOTO_VERSION


def test_a_replacement_stays_off_with_a_warning_where_moto_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With another version the sources are compared; the other replacements are still activated."""
    installed = []
    sound = Replacement(ALL[0].name, lambda: installed.append("sound"))
    known = descriptions()
    function = next(iter(known[sound.name]["functions"]))
    stale = {"functions": {function: "0" * 16, "moto.sqs.models:Gone": "0"}}
    monkeypatch.setattr(replacements, "descriptions", lambda: {**known, "stale": stale})
    with pytest.warns(
        ReplacementOff, match=f"moto 99 changed {function}, moto.sqs.models:Gone; the replacement 'stale'"
    ):
        active = install((Replacement("stale"), sound), "99")
    assert (active, installed) == ({sound.name}, ["sound"])


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
