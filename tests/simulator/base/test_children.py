"""Python processes of our own find our modules, whatever the user's PYTHONPATH holds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from simulator.base.children import IMPORT_ROOT, child_environ, python_command


@pytest.mark.parametrize("users", [None, "foreign"])
def test_our_modules_come_first_and_the_users_stay_reachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, users: str | None
) -> None:
    """A child started in a directory with a `simulator` of its own runs ours; other modules of the user are found."""
    (tmp_path / "simulator").mkdir()
    (tmp_path / "simulator" / "__init__.py").write_text("raise SystemExit('not ours')")
    (tmp_path / "users_own.py").write_text("import simulator; print(simulator.__file__)")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if users:
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    command = python_command("users_own" if users else "simulator.load.sink.server", *(() if users else ("--help",)))
    ended = subprocess.run(command, cwd=tmp_path, env=child_environ(), capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr
    assert ("usage" in ended.stdout) if users is None else ended.stdout.startswith(IMPORT_ROOT)
