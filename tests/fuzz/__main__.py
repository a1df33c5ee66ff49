"""Reads random objects with the consumer's parser and with the proof's reader: `make fuzz`.

It stops at the first object on which they disagree: one line says on what, and a file has the smallest such object
that was found, for `--again FILE`. The exit code is then 1; it is 0 at the end of the time, and 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path

from fuzz.bounds import Bounds, within
from fuzz.making import make
from fuzz.readings import Example, by_items, by_proof, by_rows, disagreement
from fuzz.smaller import smaller
from pipeline.settings import SettingsError
from simulator.base.errors import InputError

UNITS = {"s": 1, "m": 60, "h": 3600}


def duration(text: str) -> float:
    """The seconds in a text like 90s, 10m or 1h30m."""
    if not re.fullmatch(r"(?:[0-9]+[smh] ?)+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration like 90s, 10m or 1h30m")
    return float(sum(int(number) * UNITS[unit] for number, unit in re.findall(r"([0-9]+)([smh])", text)))


def what_fails(example: Example) -> str | None:
    """What the readers disagree on, or how one of them crashed, in one line; None if nothing fails."""
    try:
        return disagreement(example)
    except Exception as error:  # noqa: BLE001 - whatever a reader raises is what is looked for
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}: {error}"


def as_text(example: Example, number: int, seed: int, said: str) -> str:
    """An example as JSON; the body also as a Python literal, for people."""
    written = asdict(example) | {
        "body": base64.b64encode(example.body).decode(),
        "bounds": {name: value for name, value in asdict(example.bounds).items() if value is not None},
    }
    found = {"seed": seed, "example": number, "disagreement": said, "shown": repr(example.body[:2_000])}
    return json.dumps(found | written, indent=1) + "\n"


def from_text(text: str) -> Example:
    """The example that `as_text` wrote."""
    written = json.loads(text)
    body, cuts = base64.b64decode(written["body"]), tuple(map(tuple, written["cuts"]))
    return Example(written["key"], written["environ"], body, cuts, Bounds(**written["bounds"]))


def again(path: Path) -> int:
    """Read an example once more, and print each reader's result."""
    example = from_text(path.read_text(encoding="utf-8"))
    print(example)
    with within(example.bounds):
        for read in (by_items, by_rows, by_proof):
            try:
                print(f"\n{read.__name__}: {read(example)}")
            except (SettingsError, InputError) as refusal:
                print(f"\n{read.__name__}: {refusal}")
    said = what_fails(example)
    print(f"\n{said or 'the readers agree'}")
    return 1 if said else 0


def main(arguments: list[str] | None = None) -> int:
    """Make and read objects until the time is over, one fails, or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--for", dest="for_s", metavar="TIME", type=duration, default=60.0, help="how long: 90s, 10m, 1h30m (1m)"
    )
    parser.add_argument("--seed", type=int, help="the seed of the objects (default: the time of day)")
    parser.add_argument("--examples", type=int, help="stop after this many objects")
    parser.add_argument("--out", type=Path, default=Path("out/fuzz"), help="folder for failing objects (out/fuzz)")
    parser.add_argument("--progress", type=duration, default=5.0, metavar="TIME", help="time between two lines (5s)")
    parser.add_argument("--again", type=Path, metavar="FILE", help="read a failing object again and show the results")
    options = parser.parse_args(arguments)
    if options.again:
        return again(options.again)
    seed = options.seed if options.seed is not None else int(time.time())
    began = told = time.monotonic()
    number = 0
    try:
        while time.monotonic() - began < options.for_s and number != options.examples:
            example = make(seed, number)
            if said := what_fails(example):
                options.out.mkdir(parents=True, exist_ok=True)
                path = options.out / f"{seed}-{number}.json"
                path.write_text(as_text(example, number, seed, said), encoding="utf-8")
                least = smaller(example, lambda other: what_fails(other) is not None)
                said = what_fails(least) or said
                path.write_text(as_text(least, number, seed, said), encoding="utf-8")
                print(f"example {number:,} of seed {seed}: {said[:300]}: {path}", flush=True)
                return 1
            number += 1
            if time.monotonic() - told >= options.progress:
                told = time.monotonic()
                print(f"{number:,} objects, {number / (told - began):,.0f}/s, all agree", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print(f"stopped after {number:,} objects of seed {seed}: all agree", flush=True)
        return 130
    print(f"{number:,} objects of seed {seed}: all agree", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
