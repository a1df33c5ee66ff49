"""A file that others wait for is whole the moment it appears."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.base.files import write_whole


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
    with pytest.raises(OSError, match=r"ready\.json"):
        write_whole(tmp_path / "ready.json", "text")
    assert [each.name for each in tmp_path.iterdir()] == ["ready.json"]
