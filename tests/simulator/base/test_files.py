"""A file that others wait for is complete as soon as it appears."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from simulator.base import files
from simulator.base.errors import CouldNotFinish, InputError
from simulator.base.files import UnusableFileError, failure_of, read_bounded, require_writable, write_whole

ROOT = Path(__file__).parents[3]


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    """The new text replaces the old one, and nothing else is left in the directory."""
    file = tmp_path / "ready.json"
    file.write_text("old")
    write_whole(file, "größer")
    assert file.read_text(encoding="utf-8") == "größer"
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    """A directory of the same name stays, the unfinished file does not."""
    (tmp_path / "ready.json").mkdir()
    with pytest.raises(CouldNotFinish, match=r"ready\.json' is a directory; name a file"):
        write_whole(tmp_path / "ready.json", "text")
    assert [each.name for each in tmp_path.iterdir()] == ["ready.json"]


def test_what_is_not_a_regular_file_stays_what_it_is(tmp_path: Path) -> None:
    """A pipe is written to, not replaced; a link still points to the file, which has the new text."""
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
    """The line says what is wrong, with which file, and what to do, if the error itself does not name the file."""
    assert str(failure_of(error, "out.json")).startswith(said)
    assert str(failure_of(OSError(errno.EACCES, "Permission denied", b"x.json"))) == "x.json: Permission denied"
    assert str(failure_of(OSError(errno.EIO, "Input/output error"))) == "Input/output error"


def test_a_new_file_has_the_umask_s_permissions_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    """The result is the same as when writing in place."""
    (tmp_path / "old").write_text("old")
    (tmp_path / "old").chmod(0o604)
    before = os.umask(0o027)
    try:
        for name in ("old", "new"):
            write_whole(tmp_path / name, b"\x00bytes")
    finally:
        os.umask(before)
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("old", "new")}
    assert modes == {"old": 0o604, "new": 0o640}
    assert (tmp_path / "old").read_bytes() == b"\x00bytes"


def test_a_failure_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It also has no part of the new one, wherever writing fails."""
    (tmp_path / "file").write_text("old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for place, name in ((Path, "replace"), (files, "_write_all")):
        with monkeypatch.context() as patched:
            patched.setattr(place, name, fail)
            with pytest.raises(CouldNotFinish, match=r"the disk is full: .*file; free some space"):
                write_whole(tmp_path / "file", "new")
        assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("file", "old")]


KILLED = """
import os, pathlib, signal, sys
from simulator.base import files
write = files._write_all
def half(descriptor, data):
    write(os.dup(descriptor), data[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)
files._write_all = half
files.write_whole(pathlib.Path(sys.argv[1]), "new" * 1000)
"""


def test_a_process_that_is_killed_at_it_leaves_the_old_file(tmp_path: Path) -> None:
    """Half of a file never appears under its name."""
    (tmp_path / "file").write_text("old")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "file")], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "file").read_text() == "old"
    left = [each for each in tmp_path.iterdir() if each.name != "file"]
    assert [each.stat().st_size for each in left] == [1_500]


def test_what_a_killed_process_of_the_same_number_left_is_ignored(tmp_path: Path) -> None:
    """Another process's unfinished file is neither written to nor removed."""
    other = tmp_path / f".stockpipe-{os.getpid()}-0.partial"
    other.write_text("other")
    write_whole(tmp_path / "file", "new")
    assert sorted(each.name for each in tmp_path.iterdir()) == [other.name, "file"]
    assert other.read_text() == "other"


def test_links_stay_and_what_they_name_is_written(tmp_path: Path) -> None:
    """It holds through several links, and if their target does not exist yet."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "first").symlink_to("second")
    (tmp_path / "second").symlink_to("folder/file")
    for text in ("made", "replaced"):
        write_whole(tmp_path / "first", text)
        assert (tmp_path / "folder" / "file").read_text() == text
    assert (tmp_path / "first").is_symlink()
    assert (tmp_path / "second").is_symlink()
    assert [each.name for each in (tmp_path / "folder").iterdir()] == ["file"]


def test_devices_are_written_to(tmp_path: Path) -> None:
    """They may be used directly or through a link; they stay devices."""
    (tmp_path / "link").symlink_to(os.devnull)
    for path in (Path(os.devnull), tmp_path / "link"):
        write_whole(path, "text")
        assert path.is_char_device()
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_standard_output_is_written_where_it_is(tmp_path: Path, name: str) -> None:
    """A file that the shell opened is neither replaced nor overwritten: what was and will be in it stays."""
    if name == "/proc/self/fd/1" and not Path(name).exists():
        pytest.skip("needs /proc")
    (tmp_path / "link").symlink_to("/dev/stdout")
    script = (
        "import pathlib, sys; from simulator.base.files import require_writable, write_whole\n"
        f"path = pathlib.Path({str(tmp_path / name)!r}); print('before'); require_writable(path)\n"
        "write_whole(path, 'text\\n'); print('after')"
    )
    environ = {**os.environ, "PYTHONUNBUFFERED": ""}
    for output in ("file", "pipe"):
        if output == "pipe":
            said = subprocess.run(
                [sys.executable, "-c", script], cwd=ROOT, env=environ, stdout=subprocess.PIPE, check=True
            ).stdout
        else:
            with (tmp_path / "out").open("wb") as file:
                subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environ, stdout=file, check=True)
            said = (tmp_path / "out").read_bytes()
        assert said == b"before\ntext\nafter\n"


def test_what_cannot_hold_a_file_is_refused(tmp_path: Path) -> None:
    """These are a directory, a socket, a path without a directory, a closed descriptor, also through a link."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "socket"))
        (tmp_path / "link").symlink_to("socket")
        (tmp_path / "loop").symlink_to("loop")
        (tmp_path / "gone").symlink_to("nowhere/file")
        (tmp_path / "closed").symlink_to("/dev/fd/999")
        for name in ("", ".", "socket", "link", "loop/x", "gone", "nowhere/file", "closed", "x" * 300, "a\0b"):
            with pytest.raises(InputError) as refused:
                require_writable(tmp_path / name)
            assert "\n" not in str(refused.value)
            assert str(tmp_path) in str(refused.value)
            with pytest.raises(CouldNotFinish) as failed:
                write_whole(tmp_path / name, "text")
            assert str(failed.value) == str(refused.value)
    assert (tmp_path / "socket").is_socket()


def test_a_file_whose_directory_takes_no_other_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single file mounted into a container is such a case; a new one cannot be created."""
    (tmp_path / "file").write_text("old and longer")

    def fail(*_: object) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", fail)
    write_whole(tmp_path / "file", "new")
    with pytest.raises(CouldNotFinish, match="busy"):
        write_whole(tmp_path / "other", "new")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("file", "new")]


def test_a_text_that_utf_8_lacks_is_written_as_an_escape(tmp_path: Path) -> None:
    """It concerns the name of a file that is not text, such as a picture or a page."""
    write_whole(tmp_path / "file", "a\udcffb")
    assert (tmp_path / "file").read_text(encoding="utf-8") == r"a\udcffb"


def test_small_files_and_pipes_are_read(tmp_path: Path) -> None:
    """It is read to the last allowed byte; devices and directories are not opened."""
    (tmp_path / "file").write_bytes(b"12345678")
    assert read_bounded(tmp_path / "file", 8) == b"12345678"
    with pytest.raises(UnusableFileError, match=r"^has more than 7 bytes$"):
        read_bounded(tmp_path / "file", 7)
    os.mkfifo(tmp_path / "pipe")
    for most, said in ((8, b"12345678"), (7, None)):
        writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(b"12345678"))
        writer.start()
        if said is not None:
            assert read_bounded(tmp_path / "pipe", most) == said
        else:
            with pytest.raises(UnusableFileError, match=r"^has more than 7 bytes$"):
                read_bounded(tmp_path / "pipe", most)
        writer.join()
    for path, why in ((tmp_path, "is a directory"), (Path("/dev/zero"), "is neither a file nor a pipe")):
        with pytest.raises(UnusableFileError, match=why):
            read_bounded(path, 8)
    with pytest.raises(FileNotFoundError):
        read_bounded(tmp_path / "gone", 8)
    for name in ("x" * 300, "a\0b", "file/x"):
        with pytest.raises(UnusableFileError, match="cannot be read: "):
            read_bounded(tmp_path / name, 8)
