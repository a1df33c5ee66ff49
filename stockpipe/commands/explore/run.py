"""Runs `stockpipe explore`: resolves the options, searches or replays, and writes what was found."""

from __future__ import annotations

import itertools
import json
import os
import signal
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from simulator.base.clock import SystemClock
from simulator.base.errors import CouldNotFinish, ExitCode, InputError
from simulator.base.folders import remove_ownerless
from simulator.base.interrupts import SIGNALS
from simulator.base.usage import Used, allow_open_files
from simulator.explore import replay, report
from simulator.explore.explorer import Explorer, Search, WorldFinding, told_apart
from simulator.explore.replay import RecordedWorld
from simulator.explore.running import Explored
from simulator.explore.telling import WorldStory, ending
from simulator.faults import kinds
from simulator.files.finding import SourceFile
from simulator.run.sources import TimedPut
from simulator.stack import template
from simulator.stack.wiring import own_path
from simulator.world.world import prepare
from stockpipe.commands.applications import code_in_force
from stockpipe.commands.explore.display import SearchDisplay, tell
from stockpipe.commands.explore.entrance import entrance, invariants_of, ticks_within
from stockpipe.commands.explore.options import SEARCH_ONLY, ExploreOptions
from stockpipe.commands.outputs import echo, require_writable, write
from stockpipe.commands.parameters import parameters_of
from stockpipe.commands.simulate.inputs import chosen_inputs
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.words import require_sound

DEFAULT_WORLDS = 100
MOST_BYTES = 64 << 20
"""Of the files of `--source` together: each world holds them."""
_SHORT = {"ConsumerTimeout": "10", "VisibilityTimeout": "60"}
_VARIANTS: tuple[Mapping[str, str], ...] = (
    {"FileCount": "1", "RowsPerFile": "37", "BatchWriter": "signed"},
    {"FileCount": "1", "RowsPerFile": "60", "BatchWriter": "aiobotocore"},
    {"FileCount": "1", "RowsPerFile": "24", "BatchWriter": "signed", **_SHORT},
    {"FileCount": "1", "RowsPerFile": "25", "BatchWriter": "aiobotocore", **_SHORT},
)
"""What the worlds of the pipeline differ in, unless a parameter is given: small ticks, both writers, long and short
timeouts: with short ones, messages come back while faults still last."""


def run_explore(options: ExploreOptions) -> int:
    """Search, or replay a finding; returns the exit code."""
    files = (*options.sources, *options.paths, *options.messages, *(file.path for file in options.parameter_files))
    require_writable(
        options.report, summary=options.summary, inputs=(options.template, options.code, options.replay, *files)
    )
    for name in ("for_s", "duration_s"):
        if getattr(options, name) == 0:
            raise InputError(f"'{options.flag_of(name)}' is 0", hint="give some time: 2m, for example")
    for name in ("step", "speed"):
        if getattr(options, name) and options.replay is None:
            raise InputError(f"'--{name}' only goes with '--replay'", hint=f"leave out --{name}")
    for name in sorted(options.given & SEARCH_ONLY) if options.replay is not None else ():
        flag = options.flag_of(name)
        raise InputError(f"'{flag}' does not go with '--replay'", hint=f"leave out {flag}")
    allow_open_files()
    remove_ownerless()
    if options.replay is not None:
        from stockpipe.commands.explore.again import run_again

        return run_again(options, replay.read(options.replay))
    return _search(options)


def _search(options: ExploreOptions) -> int:
    variants = variants_of(options)
    search, application = _searched(options, variants)
    require_folder(options.out)
    used, signals, machine_output = Used(), Signals(), str(options.summary) == "-"
    prepare()
    clock = SystemClock()
    with signals.installed(), SearchDisplay(options.ui, search, clock) as display:
        progress = Explorer(application, search, clock, display.look, signals.come).explore()
        display.look(progress)
        files = [_recorded(options, finding, application, variants) for finding in progress.findings]
        stories = [_story(finding, application) for finding in progress.findings]
    built = report.summary(
        progress,
        list(zip(progress.findings, stories, map(str, files), strict=True)),
        options=_options_json(options, search),
        interrupted=progress.stopped,
        machine={**used.as_json(), "shrunk_s": progress.shrunk_s},
    )
    tell(built, quiet=options.ui == "quiet", err=machine_output)
    if options.report is not None:
        write(options.report, report.page(built, stories))
        echo(f"the page: {options.report}", err=True)
    if options.summary is not None:
        write(options.summary, json.dumps(built, indent=2, ensure_ascii=False) + "\n")
    if progress.failure is not None:
        if not progress.findings:
            raise progress.failure
        echo(f"stockpipe: the search could not go on: {progress.failure}", err=True)
    if progress.findings:
        return ExitCode.NOT_PROVEN
    return ExitCode.INTERRUPTED if progress.stopped else ExitCode.DONE


def _searched(options: ExploreOptions, variants: tuple[Mapping[str, str], ...]) -> tuple[Search, Explored]:
    stacks = tuple(template.load(options.template, dict(parameters), defaults={"Seed": "0"}) for parameters in variants)
    stack = stacks[0]
    require_sound(stack, options.template)
    names = ("sources", "paths", "messages", "to", "skip_unreadable")
    inputs, left_out = chosen_inputs(SimulateOptions(**{name: getattr(options, name) for name in names}), stack)
    for line in left_out:
        echo(f"stockpipe: {line}", err=True)
    bucket, prefix, suffix = entrance(stack)
    files = _puts(inputs.files) if inputs.files else None
    ticks = ticks_within(stack, options.duration_s)
    if files is None and not inputs.messages and not bucket and not ticks:
        raise InputError(
            "nothing would happen: the template has no schedule that is due, and no bucket that tells of its objects",
            hint="add --source or --send, or a longer --duration",
        )
    search = Search(
        seed=options.seed,
        worlds=options.worlds or (None if options.for_s is not None else DEFAULT_WORLDS),
        for_s=options.for_s,
        storm_s=options.duration_s,
        kinds=options.fault_kinds or tuple(kinds.ALL),
        jobs=options.jobs or os.cpu_count() or 1,
        stop_after=options.stop_after,
        ticks=ticks,
        files=files,
        messages=inputs.messages,
        prefix=prefix,
        suffix=suffix,
    )
    code = code_in_force(stack, options.code, build=not options.no_build)
    held = invariants_of(options.invariants, options.template)
    application = Explored(stacks, code, inputs.bucket or bucket, inputs.queue, held)
    return search, application


def variants_of(options: ExploreOptions) -> tuple[Mapping[str, str], ...]:
    """The template's parameters in each variant of its worlds: one variant, unless it is the pipeline."""
    given = parameters_of(options)
    stack = template.load(options.template, given, defaults={"Seed": "0"})
    path = own_path(stack)
    if path is None or not path.consumer.is_own:
        return (given,)
    left_out = _SHORT.keys() if _SHORT.keys() & given.keys() else frozenset[str]()  # one depends on the other
    names = stack.parameters.keys() - left_out
    held = [{name: value for name, value in each.items() if name in names} | given for each in _VARIANTS]
    return tuple(each for place, each in enumerate(held) if each not in held[:place])


def _puts(files: Iterable[SourceFile]) -> tuple[TimedPut, ...]:
    puts, size = list[TimedPut](), 0
    for file in files:
        size += _size(file)
        if size > MOST_BYTES:
            raise InputError(
                f"--source: each world would hold more than {MOST_BYTES >> 20} MiB",
                hint="give fewer or smaller files: bugs show with small ones",
            )
        puts.append(_put(file))
    return tuple(puts)


def _size(file: SourceFile) -> int:
    try:
        return file.path.stat().st_size
    except OSError:
        return 0  # reading it says why


def _put(file: SourceFile) -> TimedPut:
    try:
        return TimedPut(0.0, file.key, file.path.read_bytes(), file.path.name)
    except OSError as error:
        raise InputError(f"'{file.path}' cannot be read: {error.strerror or error}") from None


def require_folder(folder: Path) -> None:
    """Raise `InputError` if no file can be written there."""
    if not folder.is_dir():
        raise InputError(f"--out: there is no folder '{folder}'", hint="make it first")
    if not os.access(folder, os.W_OK):
        raise InputError(f"--out: nothing can be written into '{folder}'", hint="name another folder")


def _story(finding: WorldFinding, application: Explored) -> WorldStory:
    try:
        return told_apart(finding.case, application, finding.problem.sort)[1]
    except CouldNotFinish as failure:
        return WorldStory((), ending(f"{finding.problem.said} (its story could not be told: {failure})"))


def _recorded(
    options: ExploreOptions, finding: WorldFinding, application: Explored, variants: tuple[Mapping[str, str], ...]
) -> Path:
    """The file that repeats a finding, which is written; a file of another finding is not overwritten."""
    recording = RecordedWorld(
        finding.case,
        finding.problem.sort,
        ending(finding.problem.said),
        variants[finding.case.variant % len(variants)],
        str(options.template) if options.template else None,
        str(options.code) if options.code else None,
        options.invariants,
        application.bucket,
        application.queue,
    )
    text = replay.text(recording)
    for number in itertools.count(1):
        file = options.out / f"world-{finding.found.seed}{f'-{number}' if number > 1 else ''}.json"
        if not file.exists() or file.read_text(encoding="utf-8", errors="replace") == text:
            break
    write(file, text)
    return file


def _options_json(options: ExploreOptions, search: Search) -> dict[str, Any]:
    return {
        "worlds": search.worlds,
        "for": search.for_s,
        "stop_after": search.stop_after,
        "jobs": search.jobs,
        "seed": search.seed,
        "duration": search.storm_s,
        "faults": list(search.kinds),
        "source": [str(path) for path in (*options.sources, *options.paths)],
        "send": [str(path) for path in options.messages],
        "to": options.to,
        "template": str(options.template) if options.template else None,
        "parameters": parameters_of(options),
        "code": str(options.code) if options.code else None,
        "invariant": list(options.invariants),
    }


class Signals:
    """Ctrl-C and SIGTERM of a search: the first ends it with what was found, the second at once."""

    def __init__(self) -> None:
        self._count = 0

    def come(self) -> bool:
        """Whether one has come."""
        return self._count > 0

    def installed(self) -> ExitStack:
        """While the context is open, they are counted."""
        owned = ExitStack()
        for number in SIGNALS:
            owned.callback(signal.signal, number, signal.signal(number, self._came))
        return owned

    def _came(self, *_: object) -> None:
        self._count += 1
        if self._count > 1:
            raise KeyboardInterrupt
