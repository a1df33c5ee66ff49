"""The files that a command writes, `-` being standard output."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from simulator.base.errors import InputError


def require_writable(*files: Path | None) -> None:
    """Raise `InputError` for a file that cannot be written: better now than after an hour's run."""
    for file in files:
        if file is None or str(file) == "-":
            continue
        if not file.absolute().parent.is_dir():
            raise InputError(f"{file}: there is no directory {file.absolute().parent}")
        if file.is_dir():
            raise InputError(f"{file} is a directory; name a file")


def write(file: Path, text: str) -> None:
    """Write a result. That nobody reads standard output to its end does not change what the command ends with."""
    if str(file) != "-":
        file.write_text(text, encoding="utf-8")
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def discard_output() -> None:
    """The reader of standard output has gone, as `head` does: the rest has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
