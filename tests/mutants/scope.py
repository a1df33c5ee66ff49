"""Which files are changed, and which survivors have a reason."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def targets(*named: str) -> list[str]:
    """The files to change, by their paths from the top: those named, or in named folders, or all."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    cores = next(each["source_modules"] for each in contracts if each["name"].startswith("The pure cores decide"))
    files: set[Path] = set((ROOT / "pipeline").glob("*.py"))
    for core in cores:
        path = ROOT / core.replace(".", "/")
        files |= set(path.glob("*.py")) if path.is_dir() else {path.with_suffix(".py")}
    known = sorted(str(file.relative_to(ROOT)) for file in files)
    return [file for file in known if not named or any(file.startswith(name.removeprefix("./")) for name in named)]


def reasons() -> set[tuple[str, ...]]:
    """The survivors in docs/mutants.md: under their file's name, in a block below a sentence with the reason."""
    found: set[tuple[str, ...]] = set()
    file = ""
    for line in (ROOT / "docs" / "mutants.md").read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"### `(.+)`", line):
            file = heading[1]
        elif survivor := re.fullmatch(r"(\S+): (.+) → (.+)", line):
            found.add((file, *survivor.groups()))
    return found
