"""What Lambda offers to run on, and what pip calls it. Pure."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from simulator.base.errors import InputError

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""Minor versions that Lambda offers and the template allows (Lambda Developer Guide, "Lambda runtimes")."""
ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}
"""Lambda's name for a processor, and a wheel's."""
_REQUIREMENT = re.compile(
    r'(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?:\s*;\s*python_version\s*<\s*"(?P<below>\d+\.\d+)")?'
)


@dataclass(frozen=True, slots=True)
class Target:
    """A Lambda runtime: `python` is a minor version such as `3.13`, `architecture` Lambda's name."""

    python: str
    architecture: str

    def __post_init__(self) -> None:
        if self.python not in PYTHONS:
            offered = f"choose one of {', '.join(PYTHONS)}"
            raise InputError(f"Lambda does not offer Python '{self.python}'", hint=offered)
        if self.architecture not in ARCHITECTURES:
            raise InputError(f"'{self.architecture}' is not a Lambda architecture", hint="choose arm64 or x86_64")

    @property
    def platforms(self) -> tuple[str, ...]:
        """Platform tags of the wheels that run there, the newest first."""
        machine = ARCHITECTURES[self.architecture]
        # Amazon Linux 2 has glibc 2.26; Amazon Linux 2023, used from Python 3.12 on, 2.34 (unverified). A wheel that
        # needs a newer one would not load; no wheel is older than manylinux2014's 2.17.
        newest = 26 if self.python == "3.11" else 34
        numbered = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, 16, -1)]
        return (*numbered, f"manylinux2014_{machine}")


def default_python() -> str:
    """The running interpreter's minor version if Lambda offers it, else the template's."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    return running if running in PYTHONS else "3.13"


def select_requirements(text: str, python: str) -> tuple[str, ...]:
    """The `name==version` lines of a requirements file that apply to a minor version of Python.

    pip evaluates markers for the interpreter that runs it, not for the one it installs for, so we evaluate them here.
    """
    chosen = []
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        if not line:
            continue
        match = _REQUIREMENT.fullmatch(line)
        if not match:
            form = "name==version with an optional python_version <"
            raise InputError(f"stockpipe/deploy/requirements.txt: '{line}' is not {form}")
        if match["below"] is None or _minor(python) < _minor(match["below"]):
            chosen.append(f"{match['name']}=={match['version']}")
    return tuple(chosen)


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
