"""Which files paths name, under which keys, and what is reported about those that cannot be sent: all at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simulator.files.finding import Found, SourceFile, find


def _write(path: Path, content: bytes = b"a,b\n1,2\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _keys(found: Found) -> list[tuple[str, str]]:
    assert found.problems == ()
    return [(str(source.path), source.key) for source in found.files]


def _reasons(found: Found) -> dict[str, str]:
    return {problem.path.name: problem.reason for problem in found.problems}


def test_a_file_becomes_an_object_under_its_name(tmp_path: Path) -> None:
    """A file named directly may have any suffix, and its content is not examined here."""
    path = _write(tmp_path / "deep" / "quotes.txt", b"\0")
    assert find([path], "stocks/") == Found((SourceFile(path, "stocks/source/quotes.txt"),), ())


def test_a_directory_gives_its_csv_files_in_order_of_name(tmp_path: Path) -> None:
    """It gives every *.csv and *.csv.gz below it, in any case, under its relative path, except hidden names."""
    kept = ["a.csv", "b/c d.CSV", "b/e.csv.gz", "z.csv"]
    for name in kept:
        _write(tmp_path / name)
    for name in ("notes.md", ".hidden.csv", ".git/x.csv", "b/._c.csv", "_header.csv", "b/_SUCCESS.csv", "data.gz"):
        _write(tmp_path / name)
    assert _keys(find([tmp_path], "stocks/")) == [(str(tmp_path / name), f"stocks/source/{name}") for name in kept]


def test_a_folder_below_may_begin_with_an_underscore(tmp_path: Path) -> None:
    """The consumer skips objects by the last part of their key alone, so such a folder's files are data."""
    path = _write(tmp_path / "_2024" / "a.csv")
    assert _keys(find([tmp_path], "stocks/")) == [(str(path), "stocks/source/_2024/a.csv")]


def test_the_prefix_is_the_notifications(tmp_path: Path) -> None:
    """Another template has another prefix: the objects must be where the notification sees them."""
    path = _write(tmp_path / "a.csv")
    assert _keys(find([path], "in/")) == [(str(path), "in/source/a.csv")]


def test_paths_come_in_the_order_given(tmp_path: Path) -> None:
    """Several arguments are sent one after the other."""
    second, first = _write(tmp_path / "a.csv"), _write(tmp_path / "b.csv")
    assert [source.path for source in find([first, second], "stocks/").files] == [first, second]


def test_a_file_named_twice_is_sent_once(tmp_path: Path) -> None:
    """A directory and one of its own files name the same object, which is not a conflict."""
    path = _write(tmp_path / "a.csv")
    found = find([tmp_path, path, path], "stocks/")
    assert [source.path for source in found.files] == [path]
    assert found.problems == ()


def test_of_two_files_for_one_key_neither_is_sent(tmp_path: Path) -> None:
    """The later would overwrite the earlier, so each is named with the other, and a third is still sent."""
    first, second = _write(tmp_path / "1" / "a.csv"), _write(tmp_path / "2" / "a.csv")
    third = _write(tmp_path / "b.csv")
    found = find([first, second, third], "stocks/")
    assert [source.path for source in found.files] == [third]
    assert [(problem.path, problem.reason) for problem in found.problems] == [
        (first, f"it would become the object stocks/source/a.csv, and so would {second}"),
        (second, f"it would become the object stocks/source/a.csv, and so would {first}"),
    ]
    assert {problem.cure for problem in found.problems} == {"send one of them at a time"}


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    """With a missing path, a dangling link, a device, an empty folder and a hidden name, the good file is found."""
    good = _write(tmp_path / "folder" / "good.csv")
    (tmp_path / "folder" / "link.csv").symlink_to("nowhere.csv")
    hidden = _write(tmp_path / "_notes.csv")
    (tmp_path / "empty").mkdir()
    found = find([tmp_path / "gone.csv", tmp_path / "folder", Path("/dev/null"), hidden, tmp_path / "empty"], "stocks/")
    assert [source.path for source in found.files] == [good]
    assert _reasons(found) == {
        "gone.csv": "it does not exist",
        "link.csv": "it is a link to 'nowhere.csv', which does not exist",
        "null": "it is neither a file nor a directory",
        "_notes.csv": "the consumer skips objects whose names begin with '_'",
        "empty": "it holds no CSV files (*.csv or *.csv.gz)",
    }
    assert found.problems[3].cure == "rename it"


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions are checked before anything starts; the rest of the path's files are still found."""
    good = _write(tmp_path / "a.csv")
    _write(tmp_path / "closed" / "b.csv")
    scandir = os.scandir

    # Not with chmod: the tests may run as a user who may read everything.
    def refuse(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find([tmp_path], "stocks/")
    assert [source.path for source in found.files] == [good]
    assert _reasons(found) == {"closed": "it cannot be read: Permission denied"}


def test_names_that_s3_cannot_take_are_refused(tmp_path: Path) -> None:
    """A key is at most 1,024 bytes of UTF-8."""
    path = _write(tmp_path / "a.csv")
    (problem,) = find([path], "x" * 1020 + "/").problems
    assert problem.reason == "its key would have 1033 bytes; S3 allows 1024"
    raw = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv"))
    try:
        _write(raw)
    except OSError:
        pytest.skip("this file system takes no such name")
    (problem,) = find([raw], "stocks/").problems
    assert problem.reason == "a key in S3 is UTF-8, and this name is not"
