"""Shared by local and deployed load tests: the given options, the output and the exit code."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from simulator.base.errors import ExitCode, InputError
from simulator.base.quantities import duration_text
from simulator.dashboard.ui import Display
from simulator.load.measure.result import Result
from simulator.load.plan.plan import Plan
from simulator.load.plan.slo import FIGURES
from simulator.load.report import summary as summaries
from simulator.load.report import text
from simulator.load.report.page import page
from simulator.load.run import run
from simulator.load.session import LoadSession
from simulator.load.target import LoadTarget
from simulator.run import bounds
from simulator.run.conclusion import conclusion
from simulator.run.verdicts import verdict_of
from simulator.telemetry.snapshot import RunOptions
from stockpipe.commands.load_test.options import LoadTestOptions
from stockpipe.commands.outputs import echo, write
from stockpipe.commands.parameters import parameters_of, repeatable
from stockpipe.commands.words import announce_ignored, withheld_lines


def parameters(options: LoadTestOptions) -> dict[str, str]:
    """The template parameters: those given by name, and those of short options, which must not contradict them."""
    given = dict(options.parameters)
    for field, name in options.short.items():
        value, option = getattr(options, field), options.flag_of(field)
        if value is None:
            continue
        if name in given:
            raise InputError(f"'{option}' and '--parameter {name}=...' set the same", hint="give one of them")
        if value != int(value):
            length = duration_text(value)
            raise InputError(f"{option}: '{length}' is not a whole number of seconds", hint="write 1s or 2s")
    return parameters_of(options)


def run_options(plan: Plan, now: float) -> RunOptions:
    """The options that the dashboard shows; a search has no duration, because it ends when it has its answer."""
    return RunOptions(
        "load-test", plan.seed, plan.runtime, now, duration_s=plan.duration_s, objects=plan.backlog or None
    )


async def run_shown(
    options: LoadTestOptions, session: LoadSession, opening: AbstractAsyncContextManager[LoadTarget]
) -> ExitCode:
    """Run a session against a target, show it and write its results; returns the exit code. Raises our own failure."""
    outlet = _Outlet(options, session)
    with session.interrupts.installed():
        if session.plan.target != "stack":
            outlet.announce_stack()
        async with outlet.display.shown():
            await run(session, opening, located=outlet.display.located, finished=outlet.finish)
            await outlet.finish()
    if session.result.failure is not None:
        raise session.result.failure
    return exit_code(outlet.summary, session.result)


class _Outlet:
    """A load test's output: the display while it runs, then the summary and the page."""

    def __init__(self, options: LoadTestOptions, session: LoadSession) -> None:
        self._options, self._session = options, session
        self.display = Display(
            session.telemetry,
            options.ui,
            session.clock,
            machine_output=str(options.summary) == "-",
            screenshot=options.screenshot,
            every_s=options.every_s,
        )
        self.summary: dict[str, Any] = {}

    def announce_stack(self) -> None:
        """Say what is not simulated, and, in every mode, which variables the handlers do not see."""
        announce_ignored(self.display, self._session.stack, self._options.template, self._session.note)
        for line in withheld_lines(self._session.stack):
            if self.display.mode == "quiet":
                echo(f"stockpipe: {line}", err=True)
            else:
                self._session.note(line, "warning")

    async def finish(self) -> None:
        """End the display, and write the summary and the page, once. A load that never began has no report.

        If one of them cannot be written, the others still are.
        """
        session = self._session
        if self.summary or (session.result.failure is not None and not session.result.spans):
            return
        words = repeat_words(self._options)
        typed = ("stockpipe", *sys.argv[1:]) if sys.argv[1:2] == [words[1]] else words
        given = options_json(self._options, session.plan)
        self.summary = summaries.build(session, given, session.clock.now(), words, typed)
        with contextlib.ExitStack() as steps:  # from the last to the first, each even if an earlier one failed
            if self._options.summary is not None:
                steps.callback(write, self._options.summary, json.dumps(self.summary, indent=2) + "\n")
            if self._options.report is not None:
                steps.callback(self._write_page, self._options.report)
            steps.callback(self._print)
            await self.display.end(conclusion(self.summary, FIGURES))

    def _print(self) -> None:
        built = self.summary
        if self.display.mode == "quiet":
            proof = built["audit"] or built.get("deliveries")
            verdict = f"verdict {text.proof_words(built)}" if proof else "no audit"
            missed = bounds.missed(built["bounds"], FIGURES)
            line = f"{verdict}, missed {missed}" if missed else verdict
            self.display.console.print(line, markup=False, soft_wrap=True)
        else:
            self.display.console.print(text.render(built), crop=False)

    def _write_page(self, file: Path) -> None:
        write(file, page(self.summary))
        if self.display.mode != "quiet":
            self.display.console.print(f"  the page is in {file}", markup=False, soft_wrap=True)


def repeat_words(options: LoadTestOptions) -> tuple[str, ...]:
    """The command that repeats the run, as words: all options given, and the seed."""
    again = repeatable(options)
    return ("stockpipe", "load-test", *again.words({*again.given, "seed"}))


def options_json(options: LoadTestOptions, plan: Plan) -> dict[str, Any]:
    """The resolved options, named as on the command line; times are in seconds, rates per second."""
    asked = ("backlog", "ramp", "steps", "poisson", "find_max", "endpoint_url", "stack", "slo")
    return {
        "target": plan.target,
        "rate": options.rate_per_s if plan.duration_s and not options.ramp and not options.steps else None,
        "duration": plan.duration_s,
        "spike": options.spike_per_s,
        **{name: getattr(options, name) for name in (*asked, "seed", "runtime", "port", "ui", "to")},
        "rows": plan.rows or None,
        "object": str(options.object_file) if options.object_file else None,
        "message": str(options.message_file) if options.message_file else None,
        "sink_latency": plan.sink_latency_s if plan.target == "sink" else None,
        "template": str(options.template) if options.template else None,
        "parameters": parameters(options),
        "drain_timeout": plan.drain_timeout_s,
        "accept": sorted(plan.accepted),
        "audit": plan.audit if plan.audited else "none",
    }


def exit_code(summary: Mapping[str, Any], result: Result) -> ExitCode:
    """1 if rows or deliveries are not proven, a bound is missed or a search has no answer; 130 for an early end."""
    proof = summary["audit"] or summary.get("deliveries")
    proven = not proof or verdict_of(summary).proven
    drained = summary["backlog"]["drained"] is not False
    if not proven or not drained or not all(judged["held"] for judged in summary["bounds"]):
        return ExitCode.NOT_PROVEN
    if result.interrupted:
        return ExitCode.INTERRUPTED
    if summary["find_max"] is not None and summary["find_max"]["rate_per_s"] is None:
        return ExitCode.NOT_PROVEN
    return ExitCode.DONE
