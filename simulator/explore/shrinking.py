"""Makes a failing world as small as it can be and still fail in the same way: fewer faults, less load, calmer. Pure.

Whether a smaller world still fails is somebody else's to find out. It is asked about several at once, the smallest
first, and may answer for as many of them at a time as it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from simulator.explore.case import WorldCase
from simulator.faults import kinds
from simulator.faults.plane import Fault
from simulator.run.sources import TimedPut

T = TypeVar("T")
First = Callable[[Sequence[WorldCase]], WorldCase | None]
"""The first of these worlds that still fails in the same way, if any does."""
_AIMS = 3
"""With less load, the same thing may happen at one of so many first times, or up to so many times earlier."""


def shrink(case: WorldCase, first: First, *, cuts_rows: bool = True) -> WorldCase:
    """The smallest world found; `case` has its faults listed. `cuts_rows`: objects of fewer lines are as good."""
    steps = (_fewer_faults, _less_load, *([_fewer_rows] if cuts_rows else []), _calmer)
    while True:
        before = case
        for smaller in steps:
            case = smaller(case, first)
        if case == before:
            return case


def _fewer_faults(case: WorldCase, first: First) -> WorldCase:
    faults = case.faults or ()
    if len(faults) > 1:
        # One that lasts as long as the storm may do what several shorter ones do.
        longest = [fault._replace(argument=case.storm_s) for fault in faults if _lasts(fault)]
        single = first([replace(case, faults=(fault,)) for fault in (*faults, *longest)])
        if single is not None:
            return single
    size = len(faults) // 2
    while size:
        found = first([replace(case, faults=rest) for rest in _without(case.faults or (), size)])
        if found is None:
            size //= 2
        else:
            case = found
            size = min(size, len(case.faults or ()) - 1)
    none = first([replace(case, faults=())]) if case.faults else None
    return none or case


def _lasts(fault: Fault) -> bool:
    return kinds.ALL[fault.kind].scope != "call"


def _less_load(case: WorldCase, first: First) -> WorldCase:
    """Fewer objects, messages and ticks. The faults may have to strike at another time then."""
    if case.ticks and (found := first(_aimed(replace(case, ticks=0)))):
        case = found
    if len(case.puts) > 1 or (case.puts and case.ticks):
        few = [replace(case, puts=(put,), messages=(), ticks=0) for put in case.puts]
        if found := first(few) or first([aimed for each in few for aimed in _aimed(each)[1:3]]):
            return found
    if case.ticks > 1 and (found := first(_aimed(replace(case, puts=(), messages=(), ticks=1)))):
        return found
    case = _in_stretches(case, first, case.puts, _with_puts)
    case = _in_stretches(case, first, case.messages, _with_messages)
    while case.ticks > 1 and (found := first(_aimed(replace(case, ticks=case.ticks // 2)))):
        case = found
    return case


def _with_puts(case: WorldCase, puts: tuple[TimedPut, ...]) -> WorldCase:
    return replace(case, puts=puts)


def _with_messages(case: WorldCase, messages: tuple[str, ...]) -> WorldCase:
    return replace(case, messages=messages)


def _in_stretches(
    case: WorldCase, first: First, held: tuple[T, ...], having: Callable[[WorldCase, tuple[T, ...]], WorldCase]
) -> WorldCase:
    """Without stretches of what it holds: half of it, then shorter ones."""
    size = (len(held) + 1) // 2
    while size:
        rests = list(_without(held, size))
        tried = [having(case, rest) for rest in rests]
        aimed = [(each, rest) for smaller, rest in zip(tried, rests, strict=True) for each in _aimed(smaller)[1:]]
        if found := first(tried):
            case, held = found, rests[tried.index(found)]
        elif found := first([each for each, _ in aimed]):
            case, held = next((each, rest) for each, rest in aimed if each is found)
        else:
            size //= 2
        size = min(size, len(held))
    return case


def _fewer_rows(case: WorldCase, first: First) -> WorldCase:
    """Objects of fewer lines, if they are text."""
    for place in range(len(case.puts)):
        while (smaller := list(_cut(case, place))) and (found := first(smaller)):
            case = found
    return case


def _cut(case: WorldCase, place: int) -> Iterator[WorldCase]:
    put = case.puts[place]
    lines = put.content.splitlines(keepends=True)
    if put.content[:2] == b"\x1f\x8b" or len(lines) < 3:
        return
    for kept in dict.fromkeys((2, 1 + len(lines) // 4, 1 + len(lines) // 2, len(lines) - 1)):
        if kept < len(lines):
            cut = put._replace(content=b"".join(lines[:kept]))
            yield replace(case, puts=(*case.puts[:place], cut, *case.puts[place + 1 :]))


def _calmer(case: WorldCase, first: First) -> WorldCase:
    """Arguments as mild as they can be, everything at the first time at which it can be, and objects put at once."""
    for place in range(len(case.faults or ())):
        for others in (_earlier, _milder):
            faults = case.faults or ()
            before, fault, after = faults[:place], faults[place], faults[place + 1 :]
            taken = {each[:2] for each in (*before, *after)}
            tried = [replace(case, faults=(*before, each, *after)) for each in others(fault) if each[:2] not in taken]
            if tried and (found := first(tried)):
                case = found
    at_once = tuple(put._replace(at_s=float(place)) for place, put in enumerate(case.puts))
    if at_once != case.puts and (found := first([replace(case, puts=at_once)])):
        case = found
    return case


def _earlier(fault: Fault) -> list[Fault]:
    return [fault._replace(ordinal=ordinal) for ordinal in range(min(fault.ordinal, _AIMS))]


def _milder(fault: Fault) -> list[Fault]:
    kind, argument = kinds.ALL[fault.kind], fault.argument
    mildest = max(kind.least, 0.0)
    between = [mildest + (argument - mildest) * share for share in (0.0, 0.25, 0.5)]
    rounded = [round(each, 0 if kind.unit == "waits" else 1 if argument > 1 else 3) for each in between]
    return [fault._replace(argument=each) for each in dict.fromkeys(rounded) if abs(each) < abs(argument)]


def _aimed(case: WorldCase) -> list[WorldCase]:
    """The world with its faults as they are, and earlier: at the first times, a few times before, on the way."""
    faults = case.faults or ()
    at_first = [[min(each.ordinal, first) for each in faults] for first in range(_AIMS)]
    before = [[max(0, each.ordinal - some) for each in faults] for some in range(1, _AIMS)]
    half = [each.ordinal // 2 for each in faults]
    aims = [[each.ordinal for each in faults], *at_first, *before, half]
    aimed = [tuple(each._replace(ordinal=ordinal) for each, ordinal in zip(faults, aim, strict=True)) for aim in aims]
    return [replace(case, faults=aim) for aim in dict.fromkeys(aimed) if len({each[:2] for each in aim}) == len(aim)]


def _without(things: tuple[T, ...], size: int) -> Iterator[tuple[T, ...]]:
    """The things without each stretch of `size` in turn, the last first: what comes last depends on what is before."""
    for start in range(len(things) - 1 - (len(things) - 1) % size, -1, -size):
        rest = (*things[:start], *things[start + size :])
        if rest or len(things) == size:
            yield rest
