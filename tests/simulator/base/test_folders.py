"""Temporary folders: gone at the owner's end, and gone at the next start if the owner was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from simulator.base.children import IMPORT_ROOT
from simulator.base.folders import OwnFolder, remove_ownerless


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own temporary directory."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_lives_as_long_as_its_block(temporary: Path) -> None:
    """It exists, only its owner may look into it, and nothing is left."""
    with OwnFolder() as folder:
        (folder.path / "deep").mkdir()
        (folder.path / "deep" / "file").write_text("content")
        assert folder.path.parent == temporary
        assert folder.path.stat().st_mode & 0o077 == 0
        remove_ownerless()
        assert (folder.path / "deep" / "file").exists()
        folder.remove()
        folder.remove()
    assert list(temporary.iterdir()) == []


def test_the_folder_of_a_killed_owner_is_removed_and_no_other(temporary: Path) -> None:
    """It stays while another process holds it; after SIGKILL the next start removes it. Other folders stay."""
    script = (
        "import tempfile, sys; from simulator.base.folders import OwnFolder; f = OwnFolder(); print(f.path); input()"
    )
    environ = {**os.environ, "PYTHONPATH": str(IMPORT_ROOT), "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1, env=environ, text=True) as owner:
        assert owner.stdout is not None
        path = Path(owner.stdout.readline().strip())
        (path / "file").write_text("content")
        (temporary / "stockpipe-scratch-of-a-user").mkdir()
        (temporary / "stockpipe-scratch-abcdefgh").symlink_to("stockpipe-scratch-of-a-user")
        remove_ownerless()
        assert (path / "file").exists()
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    with OwnFolder():
        assert not path.exists()
    assert {each.name for each in temporary.iterdir()} == {"stockpipe-scratch-of-a-user", "stockpipe-scratch-abcdefgh"}


def test_a_missing_temporary_directory_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """If there is no directory, there is nothing to remove."""
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    remove_ownerless()
