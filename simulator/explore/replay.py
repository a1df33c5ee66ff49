"""A finding as a file, which repeats it: `stockpipe.world/1`, JSON."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.base.documents import DocumentError, from_json
from simulator.base.errors import InputError
from simulator.base.files import UnusableFileError, read_bounded
from simulator.explore.case import WorldCase
from simulator.faults import kinds
from simulator.faults.plane import Fault
from simulator.run.sources import TimedPut
from simulator.run.summary import versions

SCHEMA = "stockpipe.world/1"
MOST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class RecordedWorld:
    """A world to run again: `parameters` of the template are those of its variant, `problem` is what was wrong.

    Its load goes to `bucket` (AWS name) and `queue` (logical id).
    """

    case: WorldCase
    problem: str
    said: str
    parameters: Mapping[str, str]
    template: str | None
    code: str | None
    invariants: tuple[str, ...]
    bucket: str = ""
    queue: str | None = None


def text(recording: RecordedWorld) -> str:
    """The file's content."""
    case = recording.case
    content = {
        "schema": SCHEMA,
        "versions": versions(),
        "problem": recording.problem,
        "said": recording.said,
        "template": recording.template,
        "code": recording.code,
        "invariants": list(recording.invariants),
        "parameters": dict(recording.parameters),
        "bucket": recording.bucket,
        "queue": recording.queue,
        "seed": case.seed,
        "storm_s": case.storm_s,
        "ticks": case.ticks,
        "faults": [fault._asdict() for fault in case.faults or ()],
        "messages": list(case.messages),
        "objects": [{"at_s": put.at_s, "key": put.key, "what": put.what, **_content(put.content)} for put in case.puts],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read(file: Path) -> RecordedWorld:
    """What a file says. Raises `InputError` if it is none of ours."""
    try:
        found: Any = from_json(read_bounded(file, MOST_BYTES))
    except FileNotFoundError:
        raise InputError(f"--replay: there is no file '{file}'") from None
    except (UnusableFileError, DocumentError) as error:
        raise InputError(f"--replay: '{file}' {error}") from None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise InputError(f"--replay: '{file}' is not a world that explore wrote", hint="give the file of a finding")
    try:
        faults = tuple(map(_fault, found["faults"]))
        puts = tuple(
            TimedPut(_amount("at_s", each["at_s"]), str(each["key"]), _bytes(each), str(each["what"]))
            for each in found["objects"]
        )
        messages = _texts(found["messages"])
        storm_s, ticks = _amount("storm_s", found["storm_s"]), int(_amount("ticks", found["ticks"]))
        case = WorldCase(int(found["seed"]), storm_s, puts, messages, ticks, faults=faults)
        return RecordedWorld(
            case,
            str(found["problem"]),
            str(found["said"]),
            {str(name): str(value) for name, value in found["parameters"].items()},
            found["template"] and str(found["template"]),
            found["code"] and str(found["code"]),
            _texts(found["invariants"]),
            str(found["bucket"]),
            found["queue"] and str(found["queue"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"--replay: '{file}' cannot be used: {type(error).__name__}: {error}") from None


def _amount(name: str, value: Any) -> float:
    if not 0 <= (amount := float(value)) < math.inf:
        raise ValueError(f"{name} is {value}")
    return amount


def _fault(each: Mapping[str, Any]) -> Fault:
    kind, site, ordinal, argument = kinds.find(each["kind"]), str(each["site"]), each["ordinal"], each["argument"]
    if not kind.may_strike(site):
        raise ValueError(f"{kind.name} cannot strike at {site}")
    if not (isinstance(ordinal, int) and ordinal >= 0 and math.isfinite(argument)):
        raise ValueError(f"{kind.name} cannot strike the time {ordinal} with {argument}")
    return Fault(site, ordinal, kind.name, float(argument))


def _content(content: bytes) -> dict[str, str]:
    try:
        return {"text": content.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def _bytes(held: Mapping[str, Any]) -> bytes:
    return str(held["text"]).encode() if "text" in held else base64.b64decode(held["base64"], validate=True)


def _texts(held: object) -> tuple[str, ...]:
    if not isinstance(held, list):
        raise TypeError(f"{held!r} is not a list")
    return tuple(map(str, held))
