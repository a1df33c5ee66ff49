"""Scenarios: what a run is asked for and what happens in it, as a small data file that can be copied and changed.

```yaml
title: one line
parameters: {MaximumConcurrency: 2}        # template parameters
options: {ticks: 1, capacity: aws}         # options of simulate, which the command line may still override
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
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

import yaml

from simulator.base import limits
from simulator.base.clock import Clock
from simulator.base.errors import InputError
from simulator.base.observations import Noted, Record
from simulator.base.quantities import Bound, parse_bound, parse_duration
from simulator.functions.runtimes import RuntimeName
from simulator.telemetry.snapshot import RunOptions, Snapshot

if TYPE_CHECKING:
    from simulator.twin.twin import Twin

_OPTIONS: Mapping[str, type | tuple[str, ...]] = {
    **dict.fromkeys(("ticks", "seed"), int),
    **dict.fromkeys(("duration", "speed", "drain_timeout"), float),
    "schedule": bool,
    "capacity": ("aws", "unlimited"),
    "runtime": get_args(RuntimeName),
}


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
    steps: tuple[Step, ...]


def names() -> tuple[str, ...]:
    """The scenarios that come with the package."""
    return tuple(sorted(file.name.removesuffix(".yaml") for file in _folder().iterdir() if file.name.endswith(".yaml")))


def load(name: str) -> Scenario:
    """A scenario by its name, or from a file of the user's own (a path ending in .yaml or .yml).

    Raises `InputError`: no such scenario, or what in the file cannot be used.
    """
    if name.endswith((".yaml", ".yml")):
        file, label = Path(name), Path(name).stem
    elif name in names():
        file, label = Path(str(_folder().joinpath(f"{name}.yaml"))), name
    else:
        raise InputError(f"there is no scenario '{name}'; there are: {', '.join(names())}, or the path of a .yaml file")
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"there is no scenario file {file}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"scenario file {file} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return parse(text, label)


def parse(text: str, name: str) -> Scenario:
    """The scenario in a text; `InputError` names the part that cannot be used."""

    def refuse(message: str) -> NoReturn:
        raise InputError(f"scenario {name}: {message}")

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        refuse("not YAML: " + " ".join(str(error).split()))
    known = {"title", "parameters", "options", "steps"}
    if not isinstance(data, dict) or not isinstance(data.get("title"), str):
        refuse("a mapping with a title is expected")
    if unknown := sorted(set(map(str, data)) - known):
        refuse(f"'{unknown[0]}' is not known; known are {', '.join(sorted(known))}")
    parameters = data.get("parameters") or {}
    if not isinstance(parameters, dict):
        refuse("parameters must be a mapping of template parameters")
    steps = data.get("steps", [])
    if not isinstance(steps, list):
        refuse("steps must be a list")
    return Scenario(
        name=name,
        title=data["title"],
        parameters={str(key): str(value) for key, value in parameters.items()},
        options=_options(data.get("options") or {}, refuse),
        steps=tuple(_step(step, number, refuse) for number, step in enumerate(steps, start=1)),
    )


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


def _folder() -> Any:
    return resources.files("simulator.run").joinpath("scenarios")


def _figure(snapshot: Snapshot | None, path: str) -> float | None:
    value: Any = snapshot
    for name in path.split("."):
        value = getattr(value, name, None)
    return value if isinstance(value, (int, float)) else None


def _seconds(value: Any, what: str, refuse: Callable[[str], NoReturn]) -> float:
    text = str(value).strip()
    try:
        return parse_duration(f"{text}s" if text.replace(".", "").isdecimal() else text)
    except ValueError:
        refuse(f"{what}: '{value}' is not a number of seconds; write 10s")


def _options(given: Any, refuse: Callable[[str], NoReturn]) -> dict[str, Any]:
    if not isinstance(given, dict):
        refuse("options must be a mapping")
    options: dict[str, Any] = {}
    for key, value in given.items():
        kind = _OPTIONS.get(str(key))
        if kind is None:
            refuse(f"option '{key}' is not known; known are {', '.join(sorted(_OPTIONS))}")
        if kind is float and isinstance(value, str):
            value = _seconds(value, f"option {key}", refuse)
        elif kind is float and type(value) is int:
            value = float(value)
        if isinstance(kind, tuple) and value not in kind:
            refuse(f"option {key} must be {' or '.join(kind)}, not '{value}'")
        if isinstance(kind, type) and type(value) is not kind:
            refuse(f"option {key} must be of type {kind.__name__}, not '{value}'")
        options[str(key)] = value
    return options


def _step(given: Any, number: int, refuse_scenario: Callable[[str], NoReturn]) -> Step:
    def refuse(message: str) -> NoReturn:
        refuse_scenario(f"step {number}: {message}")

    known = {"at", "when", "caption", "put", "refuse_writes"}
    if not isinstance(given, dict):
        refuse("a mapping is expected")
    if unknown := sorted(set(map(str, given)) - known):
        refuse(f"'{unknown[0]}' is not known; known are {', '.join(sorted(known))}")
    if "at" in given and "when" in given:
        refuse("give at or when, not both")
    put, fault = given.get("put"), given.get("refuse_writes")
    if put is not None and (not isinstance(put, dict) or set(put) != {"key", "text"}):
        refuse("put needs key and text")
    if fault is not None and (not isinstance(fault, dict) or set(fault) != {"share", "for"}):
        refuse("refuse_writes needs share and for")
    share = fault["share"] if fault else 0
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        refuse(f"share must be between 0 and 1, not '{share}'")
    return Step(
        at_s=_seconds(given["at"], "at", refuse) if "at" in given else None,
        when=_condition(str(given["when"]), refuse) if "when" in given else (),
        caption=str(given["caption"]).strip() if given.get("caption") else None,
        put=Put(str(put["key"]), str(put["text"])) if put else None,
        refuse_writes=RefuseWrites(float(share), _seconds(fault["for"], "for", refuse)) if fault else None,
    )


def _condition(text: str, refuse: Callable[[str], NoReturn]) -> tuple[Bound, ...]:
    empty = Snapshot(at=0.0, options=RunOptions("", 0, "", 0.0))

    def limit_of(figure: str, limit: str) -> float:
        value: Any = empty
        for name in figure.split("."):
            if not hasattr(value, name):
                refuse(f"when: there is no figure '{figure}'; see docs/scenarios.md")
            value = getattr(value, name)
        return float(limit)

    terms = []
    for part in re.split(r"\s+and\s+", text.strip()):
        try:
            terms.append(parse_bound(part, limit_of))
        except ValueError:
            refuse(f"when: '{part}' is not a figure, an operator and a number, as in queue.visible >= 100")
    return tuple(terms)
