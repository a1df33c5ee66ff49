"""Whether two summaries are of the same load, so that a difference comes from the code. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from statistics import fmean
from typing import Any, Literal

from simulator.base.quantities import duration_text, rate_text

Summary = Mapping[str, Any]
BUSIER, BUSIER_BY = 0.2, 0.25
"""A load average per core that is higher by this much, and by this share, changes latencies on its own."""
_OWN = ("store_cpu", "handler_cpu", "generator_cpu")


def section(summary: Summary, name: str) -> Summary:
    """A part of a summary; empty if it is missing, as in a file that only looks like a summary."""
    found = summary.get(name)
    return found if isinstance(found, Mapping) else {}


def unlike(before: Summary, after: Summary) -> tuple[str, ...]:
    """What makes the loads unlike, with both values: `rate 20/s and 40/s`.

    This compares the command, whether the run was interrupted, every option that says what is sent, how fast, for how
    long and to what, and each template parameter. An option that a summary does not have is not a difference, because
    older versions had fewer options.
    """
    return tuple(_unlike(before, after))


def notes(before: Summary, after: Summary) -> tuple[str, ...]:
    """Other differences, which may be what the user compares: versions, templates, code, machines, how busy they were.

    As with options, something that only one summary has is not a difference.
    """
    said = []
    for name, labels in _NOTED.items():
        first, second = section(before, name), section(after, name)
        said += [
            f"{label} {_plain(first[key])} and {_plain(second[key])}"
            for key, label in labels.items()
            if key in first and key in second and first[key] != second[key]
        ]
    if busier(before, after):
        loads = " and ".join(f"{other_work(run):.1f}" for run in (before, after))
        said.append(f"other work on the machine {loads} per core (load average)")
    return tuple(said)


def busier(before: Summary, after: Summary) -> Literal["A", "B"] | None:
    """The run whose machine had clearly more other work; None if neither had, or if that is unknown."""
    first, second = other_work(before), other_work(after)
    if first is None or second is None or abs(second - first) <= max(BUSIER, BUSIER_BY * min(first, second)):
        return None
    return "B" if second > first else "A"


def other_work(summary: Summary) -> float | None:
    """The machine's load average per core during the run, without the run's own share; None if unknown."""
    cores, series = section(summary, "machine").get("cores"), section(summary, "series")
    held = {name: numbers(series.get(name)) for name in ("machine_load", *_OWN)}
    if not isinstance(cores, int) or cores < 1 or not held["machine_load"]:
        return None
    own = sum(fmean(held[name]) for name in _OWN if held[name])
    return max(0.0, fmean(held["machine_load"]) - own) / cores


def numbers(values: Any) -> list[float]:
    """The numbers in a list; empty for anything else."""
    return [each for each in values if isinstance(each, int | float)] if isinstance(values, list) else []


def _unlike(before: Summary, after: Summary) -> Iterator[str]:
    if before.get("command") != after.get("command"):
        yield f"command {_plain(before.get('command'))} and {_plain(after.get('command'))}"
    if bool(before.get("interrupted")) != bool(after.get("interrupted")):
        words = [("interrupted" if run.get("interrupted") else "ran to its end") for run in (before, after)]
        yield f"A {words[0]} and B {words[1]}"
    first, second = section(before, "options"), section(after, "options")
    for name, written in _LOAD.items():
        if name not in first or name not in second or (first[name] or None) == (second[name] or None):
            continue
        yield f"{name.replace('_', '-')} {_written(first[name], written)} and {_written(second[name], written)}"
    old, new = section(first, "parameters"), section(second, "parameters")
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield f"parameter {name} {_plain(old.get(name, 'default'))} and {_plain(new.get(name, 'default'))}"


def _written(value: Any, written: Callable[[float], str]) -> str:
    """A number, or several, as on the command line; anything else unchanged."""
    if isinstance(value, list):
        return ",".join(_written(each, written) for each in value)
    return written(value) if isinstance(value, int | float) and not isinstance(value, bool) else _plain(value)


def _plain(value: Any) -> str:
    return "none" if value is None else {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


_LOAD: Mapping[str, Callable[[float], str]] = {
    **dict.fromkeys(("target", "rows", "object", "message", "to"), str),
    "rate": rate_text,
    "duration": duration_text,
    **dict.fromkeys(("ramp", "steps", "spike"), rate_text),
    **dict.fromkeys(("poisson", "backlog", "find_max"), str),
    "sink_latency": duration_text,
    **dict.fromkeys(("runtime", "ticks"), str),
    "speed": "{:g}".format,
    **dict.fromkeys(("files", "source", "schedule", "scenario", "capacity"), str),
}
"""Options that must be equal for a difference to come from the code, and how to write their numbers."""
_NOTED: Mapping[str, Mapping[str, str]] = {
    "options": {"template": "template", "code": "code", "audit": "audit", "endpoint_url": "endpoint", "stack": "stack"},
    "versions": {"stockpipe": "stockpipe", "python": "Python", "moto": "moto", "aiobotocore": "aiobotocore"},
    "machine": {"system": "system", "processor": "processor", "cores": "cores", "memory_bytes": "bytes of memory"},
}
