"""Where a command's words and results go: its standard streams, and the files that it writes, `-` for the output."""

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
    """Standard output or error, whose reader may have gone and whose disk may be full.

    What nobody reads any more is dropped, and that changes nothing else: `stockpipe ... | head` ends with the code of
    what it did. Any other failure is raised once, under the stream's name, and kept in `failed`; what comes after it is
    dropped. Standard error raises nothing: there is nowhere to say it.
    """

    def __init__(self, descriptor: int, title: str, *, quiet: bool) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._title, self._quiet = title, quiet
        self.failed: OSError | None = None

    def write(self, data: Any, /) -> int:
        """As of every file; no bytes are a question of click's whether bytes may be written."""
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
        """What is written from now on goes nowhere, whoever writes it."""
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, self.fileno())
        os.close(devnull)


def take_streams() -> StandardStream:
    """Put such streams in the place of Python's own, and nothing in the place of closed ones; standard output's."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115 - for as long as the process lives
    output, error = StandardStream(1, "standard output", quiet=False), StandardStream(2, "standard error", quiet=True)
    sys.stdout, sys.stderr = _text(output, sys.stdout), _text(error, sys.stderr)
    return output


def drop_errors() -> None:
    """Say nothing more on standard error, if it is ours: what Python says of an event loop that broke off is noise."""
    stream = getattr(sys.stderr, "buffer", None)
    stream = getattr(stream, "raw", stream)
    if isinstance(stream, StandardStream):
        with suppress(OSError, ValueError):
            sys.stderr.flush()
            stream.drop()


def _text(stream: StandardStream, before: Any) -> io.TextIOWrapper:
    """Text over the stream, written as `before` was; ASCII stands in for what its encoding lacks."""
    unbuffered, encoding = getattr(before, "write_through", False), getattr(before, "encoding", None)
    return io.TextIOWrapper(
        stream if unbuffered else io.BufferedWriter(stream),  # as Python does it with -u
        encoding=encoding,
        errors=stream_errors(encoding, getattr(before, "errors", None)),
        line_buffering=getattr(before, "line_buffering", False),
        write_through=unbuffered,
    )


def echo(text: str, *, err: bool = False) -> None:
    """Print lines for people to standard output or error; what is in them from outside does not steer the terminal."""
    typer.echo(visible_lines(text), err=err)


def require_writable(*named: Path | None, summary: Path | None = None, inputs: Iterable[Path | None] = ()) -> None:
    """Raise `InputError` for a file that cannot be written: better now than after an hour's run.

    `summary` alone may be `-`, for standard output. Nor may a file be named for two outputs, or be one of the
    command's `inputs`: one would replace the other.
    """
    given = (str(file) for file in inputs if file is not None)
    # Not Path.is_file, which raises for a name that is too long.
    taken = {os.path.realpath(file): "is what this command reads" for file in given if os.path.isfile(file)}  # noqa: PTH113
    for file in (*named, summary):
        if file is None:
            continue
        if str(file) == "-":
            if file is summary:
                continue
            raise InputError("'-' is standard output for --summary alone", hint="name a file")
        try:
            file.absolute()
        except FileNotFoundError:
            raise InputError(
                f"'{file}' cannot be written: the working directory does not exist any more",
                hint="change to another one",
            ) from None
        files.require_writable(file)
        if file.exists() and not file.is_file():  # a pipe or a device, which takes any number
            continue
        if said := taken.get(os.path.realpath(file)):
            raise InputError(f"'{file}' {said}", hint="name another file to write")
        taken[os.path.realpath(file)] = "is named for two results"


def write(file: Path, text: str) -> None:
    """Write a result, whole. Raises `CouldNotFinish`, which names the file."""
    if str(file) == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    files.write_whole(file, text)
