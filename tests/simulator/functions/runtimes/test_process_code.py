"""Code that a process runtime cannot unpack: the error is one line, and no folder is left."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import pytest

from simulator.base.clock import SystemClock
from simulator.base.errors import InputError
from simulator.functions.runtimes.process import ProcessRuntime


@pytest.mark.parametrize("damage", ["content", "password"])
def test_a_damaged_zip_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    """A zip whose content does not match its checksums, or that needs a password, is named; its folder is removed."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    package = tmp_path / "package.zip"
    with zipfile.ZipFile(package, "w") as content:
        content.writestr("handler.py", "def handler(event, context): return event\n")
    text = bytearray(package.read_bytes())
    if damage == "content":
        text[text.index(b"return")] ^= 1
    else:
        text[6] |= 1
        text[text.index(b"PK\x01\x02") + 8] |= 1
    package.write_bytes(text)

    with pytest.raises(InputError, match=r"package\.zip cannot be unpacked: "):
        ProcessRuntime("http://127.0.0.1:9", package, clock=SystemClock())
    assert list((tmp_path / "tmp").iterdir()) == []
