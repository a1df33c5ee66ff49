"""A file that others wait for is whole the moment it appears."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from simulator.base.errors import CouldNotFinish
from simulator.base.files import failure_text, write_whole


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    """The new text takes the place of the old one, and nothing else is left in the directory."""
    file = tmp_path / "ready.json"
    file.write_text("old")
    write_whole(file, "größer")
    assert file.read_text(encoding="utf-8") == "größer"
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    """A directory of the same name stays, the half-done file does not."""
    (tmp_path / "ready.json").mkdir()
    with pytest.raises(CouldNotFinish, match=r"ready\.json: Is a directory"):
        write_whole(tmp_path / "ready.json", "text")
    assert [each.name for each in tmp_path.iterdir()] == ["ready.json"]


def test_what_is_no_regular_file_stays_what_it_is(tmp_path: Path) -> None:
    """A pipe is written to, not replaced; a link keeps pointing to the file, which has the new text."""
    os.mkfifo(tmp_path / "pipe")
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append((tmp_path / "pipe").read_text()))
    reader.start()
    write_whole(tmp_path / "pipe", "through")
    reader.join()
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    write_whole(tmp_path / "link", "new")
    assert heard == ["through"]
    assert (tmp_path / "pipe").is_fifo()
    assert ((tmp_path / "link").is_symlink(), (tmp_path / "file").read_text()) == (True, "new")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full: out.json; free some space and run again"),
        (OSError(errno.EDQUOT, "Quota"), "the disk is full: out.json; free some space and run again"),
        (OSError(errno.EFBIG, "File too large"), "out.json: File too large"),
        (OSError("odd"), "out.json: odd"),
        (OSError(errno.EMFILE, "Too many"), "too many open files (Too many); allow more with `ulimit -n 1024` and"),
    ],
)
def test_a_failure_is_one_line_that_names_the_file(error: OSError, said: str) -> None:
    """What is wrong, with which file, and the way out, if the error itself does not name the file."""
    assert failure_text(error, "out.json").startswith(said)
    assert failure_text(OSError(errno.EACCES, "Permission denied", b"x.json")) == "x.json: Permission denied"
    assert failure_text(OSError(errno.EIO, "Input/output error")) == "Input/output error"
