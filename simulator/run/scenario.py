"""Scenarios: what a run is asked for and what happens in it, as a small data file that can be copied and changed.

```yaml
title: one line
parameters: {MaximumConcurrency: 2}        # template parameters
options: {ticks: 1, capacity: aws}         # options of simulate, which the command line may still override
bounds: [dead_lettered>=1]                 # what it plans, in place of the defaults on these figures
steps:                                     # told and done in this order, each once its trigger has come
  - at: 3s                                 # seconds since the run began ...
    caption: what to say
    put: {key: stocks/broken.csv, text: "..."}
  - when: queue.visible >= 400             # ... or a figure of the snapshot against a number; several joined by `and`
    caption: what to say
    refuse_writes: {share: 0.95, for: 10s} # the table throttles this share of the writes
```

Reading is pure; `play` is the shell that waits for the triggers.
"""

from __future__ import annotations

import asyncio
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from simulator.base import documents, limits
from simulator.base.clock import Clock
from simulator.base.documents import DocumentError
from simulator.base.errors import InputError, UnusableValueError, about
from simulator.base.files import UnusableFileError, read_bounded
from simulator.base.nearest import did_you_mean
from simulator.base.observations import Noted, Record
from simulator.base.quantities import LONGEST_S, Bound, parse_bound, parse_duration
from simulator.base.shown import printable
from simulator.functions.runtimes import RuntimeName
from simulator.run import bounds
from simulator.run.bounds import SummaryBound
from simulator.telemetry.snapshot import RunOptions, Snapshot

if TYPE_CHECKING:
    from simulator.twin.twin import Twin

_FOLDER = Path(__file__).with_name("scenarios")
_OPTIONS: Mapping[str, type | tuple[str, ...]] = {
    **dict.fromkeys(("ticks", "seed"), int),
    **dict.fromkeys(("duration", "speed", "drain_timeout"), float),
    "schedule": bool,
    "capacity": ("aws", "unlimited"),
    "runtime": get_args(RuntimeName),
}
_KEY = f"put: key must have between 1 and {limits.S3_KEY_BYTES} bytes"
_WHEN_CHARACTERS = 1_000
_SEE = "`stockpipe docs scenarios` explains them"
_LEAST = {"ticks": 1, "duration": 0, "speed": 0.001, "drain_timeout": 0}


@dataclass(frozen=True, slots=True)
class Put:
    """An object that the scenario itself puts into the bucket."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class RefuseWrites:
    """The table throttles a share of the writes for a while."""

    share: float
    for_s: float


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of a scenario. Without a trigger it follows the step before at once.

    `when` holds figures of the snapshot against numbers, which must hold together; a figure that does not exist yet
    holds nothing.
    """

    at_s: float | None
    when: tuple[Bound, ...]
    caption: str | None
    put: Put | None
    refuse_writes: RefuseWrites | None

    def due(self, elapsed_s: float, look: Callable[[], Snapshot]) -> bool:
        """Whether its trigger has come, so many seconds after the run began."""
        if self.at_s is not None:
            return elapsed_s >= self.at_s
        snapshot = look() if self.when else None
        return all(term.holds(_figure(snapshot, term.figure)) for term in self.when)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario as read; `options` are named as in `simulate`'s summary, lengths in seconds."""

    name: str
    title: str
    parameters: Mapping[str, str]
    options: Mapping[str, Any]
    bounds: tuple[SummaryBound, ...]
    steps: tuple[Step, ...]


def names() -> tuple[str, ...]:
    """The scenarios that come with the package."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.yaml")))


def load(name: str) -> Scenario:
    """A scenario by its name, or from a file of the user's own (a path ending in .yaml or .yml).

    Raises `InputError`: no such scenario, or what in the file cannot be used.
    """
    if name.endswith((".yaml", ".yml")):
        file = Path(name)
    elif name in names():
        file = _FOLDER / f"{name}.yaml"
    else:
        how = did_you_mean(name, names(), "`stockpipe simulate --scenario list` lists them")
        own = "" if how.endswith("?") else ", or name a file that ends in .yaml"
        raise InputError(f"there is no scenario '{name}'", hint=f"{how}{own}")
    try:
        text = read_bounded(file, limits.SCENARIO_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"there is no scenario file '{file}'") from None
    except UnusableFileError as error:
        raise InputError(f"scenario file '{file}' {error}") from None
    except UnicodeDecodeError:
        raise InputError(f"scenario file '{file}' cannot be read: it is not text in UTF-8") from None
    return parse(text, printable(file.stem))


def parse(text: str, name: str) -> Scenario:
    """The scenario in a text; `InputError` names the part that cannot be used."""
    try:
        return _scenario(documents.plain(documents.compose(text)), name)
    except DocumentError as error:
        where = f"{name}, line {error.line}" if error.line else name
        raise InputError.about(f"scenario {where}: ", error) from None
    except ValueError as error:
        raise InputError.about(f"scenario {name}: ", error) from None


async def play(
    scenario: Scenario, twin: Twin, look: Callable[[], Snapshot], clock: Clock, record: Record, stop: asyncio.Event
) -> None:
    """Tell and do the steps in order, until the last one or `stop`; a fault that is on is switched off at the end."""
    began_at = clock.now()
    table, faulty_until_at = twin.resources.table, 0.0

    async def wait() -> None:
        nonlocal faulty_until_at
        if 0 < faulty_until_at <= clock.now() and twin.store is not None:
            faulty_until_at = 0.0
            await twin.store.refuse_writes(table, 0.0)
            record(Noted(clock.now(), f"fault over: table {table} takes writes again", "fault"))
        await clock.sleep(limits.SCENARIO_LOOK_S)

    try:
        for step in scenario.steps:
            while not stop.is_set() and not step.due(clock.now() - began_at, look):
                await wait()
            if stop.is_set():
                return
            if step.caption:
                record(Noted(clock.now(), step.caption, "caption"))
            if step.put:
                body = step.put.text.encode()
                await twin.clients.s3.put_object(Bucket=twin.resources.bucket, Key=step.put.key, Body=body)
            if step.refuse_writes and twin.store is not None:
                await twin.store.refuse_writes(table, step.refuse_writes.share)
                faulty_until_at = max(faulty_until_at, clock.now() + step.refuse_writes.for_s)
                share = f"{step.refuse_writes.share:.0%}"
                record(Noted(clock.now(), f"fault: table {table} refuses {share} of the writes", "fault"))
        while faulty_until_at and not stop.is_set():
            await wait()
    finally:
        if faulty_until_at and twin.store is not None:
            await twin.store.refuse_writes(table, 0.0)


def _figure(snapshot: Snapshot | None, path: str) -> float | None:
    try:
        value = operator.attrgetter(path)(snapshot)
    except AttributeError:  # of a part that does not exist yet
        return None
    return value if isinstance(value, (int, float)) else None


# Each of these raises `ValueError` with what cannot be used.


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def _require_known(given: Mapping[Any, Any], *known: str) -> None:
    for key in sorted({str(key) for key in given} - set(known)):
        raise UnusableValueError(f"'{key}' is not known", did_you_mean(key, sorted(known), _SEE))


def _scenario(given: Any, name: str) -> Scenario:
    titled = isinstance(given, dict) and isinstance(given.get("title"), str)
    _require(titled, "a mapping with a title is expected")
    _require_known(given, "title", "parameters", "options", "bounds", "steps")
    parameters, steps = given.get("parameters") or {}, given.get("steps", [])
    _require(isinstance(parameters, dict), "parameters must be a mapping of template parameters")
    _require(isinstance(steps, list), "steps must be a list")
    for key, value in parameters.items():
        _require(not isinstance(value, dict | list), f"parameter {key} must be a text or a number")
    return Scenario(
        name=name,
        title=given["title"],
        parameters={key: str(value) for key, value in parameters.items()},
        options=_options(given.get("options") or {}),
        bounds=_bounds(given.get("bounds") or []),
        steps=tuple(_steps(steps)),
    )


def _seconds(value: Any, what: str) -> float:
    text = str(value).strip()
    try:
        return parse_duration(f"{text}s" if text.replace(".", "").isdecimal() else text)
    except ValueError:
        raise UnusableValueError(f"{what}: '{value}' is not a number of seconds", "write 10s") from None


def _options(given: Any) -> dict[str, Any]:
    _require(isinstance(given, dict), "options must be a mapping")
    options: dict[str, Any] = {}
    for key, value in given.items():
        kind = _OPTIONS.get(str(key))
        if kind is None:
            raise UnusableValueError(f"option '{key}' is not known", did_you_mean(str(key), sorted(_OPTIONS), _SEE))
        if kind is float and isinstance(value, str):
            value = _seconds(value, f"option {key}")
        elif kind is float and type(value) is int:
            value = float(value)
        if isinstance(kind, tuple):
            _require(value in kind, f"option {key} must be {' or '.join(kind)}, not '{value}'")
        else:
            _require(type(value) is kind, f"option {key} must be of type {kind.__name__}, not '{value}'")
        if key in _LEAST:
            _require(_LEAST[key] <= value <= LONGEST_S, f"option {key} is out of range: {value}")
        options[str(key)] = value
    return options


def _bounds(given: Any) -> tuple[SummaryBound, ...]:
    listed = isinstance(given, list) and all(isinstance(bound, str) for bound in given)
    _require(listed, "bounds must be a list, as in [dead_lettered<1, rejected<1%]")
    try:
        return tuple(map(bounds.parse, given))
    except ValueError as error:
        raise about("bounds: ", error) from None


def _steps(given: list[Any]) -> Iterator[Step]:
    for number, step in enumerate(given, start=1):
        try:
            yield _step(step)
        except ValueError as error:
            raise about(f"step {number}: ", error) from None


def _step(given: Any) -> Step:
    _require(isinstance(given, dict), "a mapping is expected")
    _require_known(given, "at", "when", "caption", "put", "refuse_writes")
    _require(not {"at", "when"} <= set(given), "give at or when, not both")
    put, fault = given.get("put"), given.get("refuse_writes")
    _require(put is None or (isinstance(put, dict) and set(put) == {"key", "text"}), "put needs key and text")
    for name in put or ():
        _require(not isinstance(put[name], dict | list), f"put: {name} must be a text")
    _require(put is None or 1 <= len(str(put["key"]).encode()) <= limits.S3_KEY_BYTES, _KEY)
    shared = fault is None or (isinstance(fault, dict) and set(fault) == {"share", "for"})
    _require(shared, "refuse_writes needs share and for")
    share = fault["share"] if fault else 0
    is_share = isinstance(share, (int, float)) and not isinstance(share, bool) and 0 <= share <= 1
    _require(is_share, f"share must be between 0 and 1, not '{share}'")
    _require(not isinstance(given.get("caption"), dict | list), "caption must be a text")
    return Step(
        at_s=_seconds(given["at"], "at") if "at" in given else None,
        when=_terms(str(given["when"])) if "when" in given else (),
        caption=str(given["caption"]).strip() if given.get("caption") else None,
        put=Put(str(put["key"]), str(put["text"])) if put else None,
        refuse_writes=RefuseWrites(float(share), _seconds(fault["for"], "for")) if fault else None,
    )


def _terms(text: str) -> tuple[Bound, ...]:
    _require(len(text) <= _WHEN_CHARACTERS, f"when: more than {_WHEN_CHARACTERS} characters")
    return tuple(map(_term, re.split(r"\s+and\s+", text.strip())))


def _term(text: str) -> Bound:
    try:
        term = parse_bound(text, lambda _, limit: float(limit))
    except ValueError:
        expected = "a figure, an operator and a number, as in queue.visible >= 100"
        raise ValueError(f"when: '{text}' is not {expected}") from None
    _require(term.limit < math.inf, f"when: the number of '{term.figure}' is too large")
    _require("_" not in {part[:1] for part in term.figure.split(".")}, f"when: there is no figure '{term.figure}'")
    try:
        operator.attrgetter(term.figure)(Snapshot(at=0.0, options=RunOptions("", 0, "", 0.0)))
    except AttributeError:
        raise UnusableValueError(f"when: there is no figure '{term.figure}'", _SEE) from None
    return term
