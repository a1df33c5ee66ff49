"""Scenarios: small data files that say what a run does and when. Users can copy and change them. Pure.

```yaml
title: one line
parameters: {MaximumConcurrency: 2}        # template parameters
options: {ticks: 1, capacity: aws}         # options of simulate, which the command line may still override
bounds: [dead_lettered>=1]                 # replace the default bounds on these figures
steps:                                     # carried out in this order, each when its trigger has come
  - at: 3s                                 # seconds since the run began ...
    caption: the text to show after {VisibilityTimeout second}
    put: {key: stocks/broken.csv, text: "..."}      # or a list of objects
  - when: queue.visible >= 400             # ... or a figure of the snapshot against a number; several joined by `and`
    caption: the text to show
    refuse_writes: {share: 0.95, for: 10s} # the table throttles this share of the writes
    faults: {s3-slow-down: 20%, for: 10s}  # these faults strike so often
```

`story.py` waits for the triggers.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import yaml

from simulator.base import documents, limits
from simulator.base.documents import DocumentError
from simulator.base.errors import InputError, UnusableValueError, about
from simulator.base.files import UnusableFileError, read_bounded
from simulator.base.nearest import did_you_mean
from simulator.base.quantities import LONGEST_S, Bound, duration_text, parse_bound, parse_duration, parse_share
from simulator.base.shown import printable
from simulator.faults import kinds
from simulator.functions.runtimes import RuntimeName
from simulator.run import bounds, captions
from simulator.run.bounds import SummaryBound
from simulator.telemetry.snapshot import RunOptions, Snapshot

REFUSED = "refuse_writes"
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
    """An object that the scenario puts into the bucket."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Strike:
    """Faults strike for a while, each with its share; the one named `REFUSED` is that the table throttles writes."""

    shares: Mapping[str, float]
    for_s: float


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a scenario. Without a trigger, it follows the previous step at once.

    `when` compares figures of the snapshot with numbers. All comparisons must hold; one whose figure does not exist yet
    does not. `trigger` is the text of `at` or `when`, empty without either. `puts` are in the order of the file. `line`
    is the line of the caption in the file, or of the step if it has no caption.
    """

    at_s: float | None
    when: tuple[Bound, ...]
    trigger: str
    caption: str | None
    puts: tuple[Put, ...]
    strikes: tuple[Strike, ...]
    line: int

    def due(self, elapsed_s: float, look: Callable[[], Snapshot]) -> bool:
        """Whether the trigger has come, this long after the run began."""
        if self.at_s is not None:
            return elapsed_s >= self.at_s
        snapshot = look() if self.when else None
        return all(term.holds(_figure(snapshot, term.figure)) for term in self.when)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario as read from `file`. `options` have the names of `simulate`'s summary; times are in seconds."""

    name: str
    file: str
    title: str
    parameters: Mapping[str, str]
    options: Mapping[str, Any]
    bounds: tuple[SummaryBound, ...]
    steps: tuple[Step, ...]

    @property
    def faults(self) -> frozenset[str]:
        """The kinds of all its faults."""
        return frozenset(kind for step in self.steps for strike in step.strikes for kind in strike.shares)

    def filled(self, values: Mapping[str, str | None]) -> Scenario:
        """The same scenario with the values of parameters and options filled into its captions.

        None is the value of an option that does not apply. Raises `InputError`, with file and line, for a placeholder
        that cannot be filled.
        """
        return replace(self, steps=tuple(self._filled(step, values) for step in self.steps))

    def _filled(self, step: Step, values: Mapping[str, str | None]) -> Step:
        try:
            return replace(step, caption=captions.filled(step.caption, values)) if step.caption else step
        except ValueError as error:
            raise InputError.about(f"{self.file}:{step.line}: caption: ", error) from None


def names() -> tuple[str, ...]:
    """The scenarios that come with the package."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.yaml")))


def load(name: str) -> Scenario:
    """Load a scenario by name, or from the user's own file (a path that ends in .yaml or .yml).

    Raises `InputError` if there is no such scenario, or if the file has something that cannot be used.
    """
    if name.endswith((".yaml", ".yml")):
        file = Path(name)
    elif name in names():
        file = _FOLDER / f"{name}.yaml"
    else:
        how = did_you_mean(name, names(), "`stockpipe simulate --scenario list` lists them")
        own = "" if how.endswith("?") else ", or give a file that ends in .yaml"
        raise InputError(f"there is no scenario '{name}'", hint=f"{how}{own}")
    try:
        text = read_bounded(file, limits.SCENARIO_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"there is no scenario file '{file}'") from None
    except UnusableFileError as error:
        raise InputError(f"scenario file '{file}' {error}") from None
    except UnicodeDecodeError:
        raise InputError(f"scenario file '{file}' cannot be read: it is not text in UTF-8") from None
    return parse(text, printable(file.stem), printable(str(file)))


def parse(text: str, name: str, file: str) -> Scenario:
    """Parse a scenario. The `InputError` names the file, the line if known, and the part that cannot be used."""
    try:
        root = documents.compose(text)
        return _scenario(documents.plain(root), name, file, list(_step_lines(root)))
    except DocumentError as error:
        where = f"{file}:{error.line}" if error.line else f"scenario {file}"
        raise InputError.about(f"{where}: ", error) from None
    except ValueError as error:
        raise InputError.about(f"scenario {file}: ", error) from None


def _figure(snapshot: Snapshot | None, path: str) -> float | None:
    try:
        value = operator.attrgetter(path)(snapshot)
    except AttributeError:  # a part that does not exist yet
        return None
    return value if isinstance(value, (int, float)) else None


# Each function below raises a `ValueError` that says what cannot be used.


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def _require_known(given: Mapping[Any, Any], *known: str) -> None:
    for key in sorted({str(key) for key in given} - set(known)):
        raise UnusableValueError(f"'{key}' is not known", did_you_mean(key, sorted(known), _SEE))


def _step_lines(root: yaml.Node | None) -> Iterator[int]:
    """The line of each step's caption, or of the step itself. The document's keys must be valid."""
    steps = _under(root, "steps")
    if isinstance(steps, yaml.SequenceNode):
        for step in steps.value:
            yield (_under(step, "caption") or step).start_mark.line + 1


def _under(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for key_node, value in pairs if key_node.value == key), None)


def _scenario(given: Any, name: str, file: str, lines: Sequence[int]) -> Scenario:
    titled = isinstance(given, dict) and isinstance(given.get("title"), str)
    _require(titled, "it must be a mapping with a title")
    _require_known(given, "title", "parameters", "options", "bounds", "steps")
    parameters, steps = given.get("parameters") or {}, given.get("steps", [])
    _require(isinstance(parameters, dict), "parameters must be a mapping of template parameters")
    _require(isinstance(steps, list), "steps must be a list")
    for key, value in parameters.items():
        _require(not isinstance(value, dict | list), f"parameter {key} must be a text or a number")
    return Scenario(
        name=name,
        file=file,
        title=given["title"],
        parameters={key: str(value) for key, value in parameters.items()},
        options=_options(given.get("options") or {}),
        bounds=_bounds(given.get("bounds") or []),
        steps=tuple(_steps(steps, lines)),
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


def _steps(given: list[Any], lines: Sequence[int]) -> Iterator[Step]:
    for number, (step, line) in enumerate(zip(given, lines, strict=True), start=1):
        try:
            yield _step(step, line)
        except ValueError as error:
            raise DocumentError(f"step {number}: {error}", line) from None


def _step(given: Any, line: int) -> Step:
    _require(isinstance(given, dict), "it must be a mapping")
    _require_known(given, "at", "when", "caption", "put", REFUSED, "faults")
    _require(not {"at", "when"} <= set(given), "give at or when, not both")
    put = given.get("put")
    puts = [] if put is None else put if isinstance(put, list) else [put]
    _require(not isinstance(given.get("caption"), dict | list), "caption must be text")
    at_s = _seconds(given["at"], "at") if "at" in given else None
    when = " ".join(str(given["when"]).split()) if "when" in given else ""
    return Step(
        at_s=at_s,
        when=_terms(str(given["when"])) if "when" in given else (),
        trigger=when if at_s is None else duration_text(at_s),
        caption=" ".join(str(given["caption"]).split()) if given.get("caption") else None,
        puts=tuple(map(_put, puts)),
        strikes=tuple(_strikes(given.get(REFUSED), given.get("faults"))),
        line=line,
    )


def _strikes(refused: Any, faults: Any) -> Iterator[Strike]:
    if refused is not None:
        shared = isinstance(refused, dict) and set(refused) == {"share", "for"}
        _require(shared, f"{REFUSED} needs share and for")
        share = refused["share"]
        is_share = isinstance(share, (int, float)) and not isinstance(share, bool) and 0 <= share <= 1
        _require(is_share, f"share must be between 0 and 1, not '{share}'")
        yield Strike({REFUSED: float(share)}, _seconds(refused["for"], "for"))
    if faults is not None:
        shared = isinstance(faults, dict) and "for" in faults and len(faults) > 1
        _require(shared, "faults needs kinds with their shares, and for, as in {s3-slow-down: 20%, for: 10s}")
        yield Strike(dict(_shares(faults)), _seconds(faults["for"], "for"))


def _shares(faults: Mapping[Any, Any]) -> Iterator[tuple[str, float]]:
    for kind, share in faults.items():
        if kind == "for":
            continue
        try:
            yield kinds.find(str(kind)).name, parse_share(str(share))
        except ValueError as error:
            raise about(f"faults: {kind}: " if kind in kinds.ALL else "faults: ", error) from None


def _put(given: Any) -> Put:
    _require(isinstance(given, dict) and set(given) == {"key", "text"}, "put needs key and text")
    for name in given:
        _require(not isinstance(given[name], dict | list), f"put: {name} must be text")
    _require(1 <= len(str(given["key"]).encode()) <= limits.S3_KEY_BYTES, _KEY)
    return Put(str(given["key"]), str(given["text"]))


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
