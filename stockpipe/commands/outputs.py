"""A command's output: its standard streams, and the files that it writes; `-` is standard output."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

from simulator.base import files
from simulator.base.errors import InputError
from simulator.base.shown import visible_lines
from simulator.base.stand_ins import stream_errors


class StandardStream(io.FileIO):
    """Standard output or error, whose reader may be gone and whose disk may be full.

    If the reader is gone, output is dropped without further effect: `stockpipe ... | head` ends with the exit code of
    the command's own work. Any other failure is raised once, with the stream's name, and kept in `failed`; later output
    is dropped. Standard error raises nothing, because there is nowhere to report it.
    """

    def __init__(self, descriptor: int, title: str, *, quiet: bool) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._title, self._quiet = title, quiet
        self.failed: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write like any file; click writes no bytes to find out whether the stream accepts bytes."""
        if not len(data):
            return 0
        try:
            return super().write(data)
        except OSError as error:
            self.drop()
            if error.errno != errno.EPIPE and not self._quiet:
                self.failed = OSError(error.errno, error.strerror, self._title)
                raise self.failed from None
            return len(data)

    def drop(self) -> None:
        """Discard everything written from now on."""
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, self.fileno())
        os.close(devnull)


def take_streams() -> StandardStream:
    """Replace Python's streams by such streams, and closed ones by the null device; returns standard output's."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # this takes the lowest free number
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115 - open as long as the process lives
    output, error = StandardStream(1, "standard output", quiet=False), StandardStream(2, "standard error", quiet=True)
    sys.stdout, sys.stderr = _text(output, sys.stdout), _text(error, sys.stderr)
    return output


def drop_errors() -> None:
    """Print nothing more to standard error, if it is ours: Python's messages about a broken event loop are noise."""
    stream = getattr(sys.stderr, "buffer", None)
    stream = getattr(stream, "raw", stream)
    if isinstance(stream, StandardStream):
        with suppress(OSError, ValueError):
            sys.stderr.flush()
            stream.drop()


def _text(stream: StandardStream, before: Any) -> io.TextIOWrapper:
    """A text stream over the stream, set up like `before`; ASCII replaces what its encoding lacks."""
    unbuffered, encoding = getattr(before, "write_through", False), getattr(before, "encoding", None)
    return io.TextIOWrapper(
        stream if unbuffered else io.BufferedWriter(stream),  # as Python does with -u
        encoding=encoding,
        errors=stream_errors(encoding, getattr(before, "errors", None)),
        line_buffering=getattr(before, "line_buffering", False),
        write_through=unbuffered,
    )


def echo(text: str, *, err: bool = False) -> None:
    """Print lines to standard output or error; text from outside in them cannot control the terminal."""
    typer.echo(visible_lines(text), err=err)


def require_writable(*named: Path | None, summary: Path | None = None, inputs: Iterable[Path | None] = ()) -> None:
    """Raise `InputError` for a file that cannot be written: better now than after an hour's run.

    Only `summary` may be `-`, for standard output. Two outputs must not be the same file, and none may be one of the
    command's `inputs`: one would overwrite the other.
    """
    given = (str(file) for file in inputs if file is not None)
    # Not Path.is_file, which raises for a name that is too long.
    taken = {os.path.realpath(file): "is an input of this command" for file in given if os.path.isfile(file)}  # noqa: PTH113
    for file in (*named, summary):
        if file is None:
            continue
        if str(file) == "-":
            if file is summary:
                continue
            raise InputError("'-' means standard output only for --summary", hint="name a file")
        try:
            file.absolute()
        except FileNotFoundError:
            raise InputError(
                f"'{file}' cannot be written: the working directory no longer exists",
                hint="change to another directory",
            ) from None
        files.require_writable(file)
        if file.exists() and not file.is_file():  # a pipe or a device, which accepts several outputs
            continue
        if said := taken.get(os.path.realpath(file)):
            raise InputError(f"'{file}' {said}", hint="name another file to write")
        taken[os.path.realpath(file)] = "is named for two outputs"


def write(file: Path, text: str) -> None:
    """Write a result completely or not at all. Raises `CouldNotFinish`, which names the file."""
    if str(file) == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    files.write_whole(file, text)
