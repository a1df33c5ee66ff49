"""Commands to paste: a shell reads the words that were meant, whole or broken over lines."""

from __future__ import annotations

import io
import os
import subprocess

import pytest
from rich.console import Console

from simulator.run.command_line import ShellCommand, broken, quoted, with_option

WORDS = [
    "stockpipe", "simulate", "--seed", "-7", "--source", "my quotes", "it's.csv", '"x"', "a$b`c`!d", "--parameter",
    "TimestampColumn=Trade Date", "--parameter", "BucketName=", "--parameter", "TimestampFormat=%d.%m.%Y", "--hold",
    "~", "株", "",
]  # fmt: skip


def read_by_a_shell(command: str, shell: str = "sh") -> list[str]:
    """The words that a shell makes of a command."""
    script = f"set -- {command}\nprintf '%s\\0' \"$@\""
    ended = subprocess.run([shell, "-c", script], capture_output=True, check=True)
    return [os.fsdecode(word) for word in ended.stdout.split(b"\0")[:-1]]


@pytest.mark.parametrize("width", [1, 20, 40, 72, 1_000])
def test_a_shell_reads_the_same_words(width: int) -> None:
    """Blanks, quotes and signs that mean something to a shell, on one line and on several."""
    lines = broken(quoted(WORDS), width)
    assert read_by_a_shell("\n".join(lines)) == WORDS
    assert len(lines) > 1 or width == 1_000


def test_lines_are_broken_between_options() -> None:
    """An option keeps its value beside it, and a line is as full as may be."""
    command = "stockpipe simulate --seed 7 --parameter TimestampColumn='Trade Date' --hold"
    assert quoted(["--parameter", "TimestampColumn=Trade Date"]) in command
    assert broken(command, 44) == [
        "stockpipe simulate --seed 7 \\",
        "  --parameter TimestampColumn='Trade Date' \\",
        "  --hold",
    ]
    assert broken(command, 80) == [command]


def test_a_line_is_broken_where_it_would_be_too_wide() -> None:
    """Between two words, but not between an option and its value; the backslash is on the screen, too."""
    assert broken("stockpipe simulate --seed 7 a b --hold --source 'x y' z", 1) == [
        "stockpipe \\", "  simulate \\", "  --seed 7 \\", "  a \\", "  b \\", "  --hold \\", "  --source 'x y' \\",
        "  z",
    ]  # fmt: skip
    assert broken("ab --cd 1 --ef", 11) == ["ab --cd 1 \\", "  --ef"]
    assert broken("ab --cd 1 --ef", 10) == ["ab \\", "  --cd 1 \\", "  --ef"]
    console = Console(file=io.StringIO(), width=24)
    console.print(ShellCommand("ab --cd 1 --efgh 12", 6))
    printed: str = console.file.getvalue()  # type: ignore[attr-defined]
    assert printed.splitlines() == [" " * 6 + "ab --cd 1 \\", " " * 8 + "--efgh 12"]


def test_a_name_that_could_steer_the_terminal_is_written_out() -> None:
    """Control characters and bytes that are no UTF-8 are escaped, as bash reads them."""
    words = ["a\x1b[2J\nb'\\c", os.fsdecode(b"\xff.csv"), "TickerColumn=\x07"]
    command = quoted(words)
    assert command.isprintable()
    assert read_by_a_shell("\n".join(broken(command, 10)), "bash") == words


def test_a_word_longer_than_the_screen_stays_whole() -> None:
    """The terminal wraps it; a line end in it would be another word."""
    console = Console(file=io.StringIO(), width=30)
    console.print(ShellCommand(f"stockpipe simulate --source {'x' * 60} --hold", 4), crop=False)
    assert console.file.getvalue().splitlines() == [  # type: ignore[attr-defined]
        "    stockpipe simulate \\",
        f"      --source {'x' * 60} \\",
        "      --hold",
    ]


@pytest.mark.parametrize(
    ("words", "option", "after"),
    [
        ("simulate --seed 7", "--hold", "simulate --seed 7 --hold"),
        ("simulate --hold --seed 7", "--hold", "simulate --seed 7 --hold"),
        ("simulate --seed 7 --ticks 2", "--seed 8", "simulate --ticks 2 --seed 8"),
        ("a --parameter X=1 --parameter Y=2", "--parameter X=3", "a --parameter Y=2 --parameter X=3"),
        ("a --parameter XY=1", "--parameter X=3", "a --parameter XY=1 --parameter X=3"),
        ("simulate --hold", "--hold", "simulate --hold"),
        ("a --parameter X=1=2 --parameter X=2=1", "--parameter X=3=4", "a --parameter X=3=4"),
        ("a --source q -- -b --hold", "--hold", "a --source q --hold -- -b --hold"),
    ],
)
def test_an_option_replaces_what_was_given_for_it(words: str, option: str, after: str) -> None:
    """A parameter replaces the same parameter only, and what follows `--` is no option."""
    assert " ".join(with_option(words.split(), *option.split())) == after
