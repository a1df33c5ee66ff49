"""Python processes of our own: how they are started, so that they import what this process imports."""

from __future__ import annotations

import os
import sys
from pathlib import Path

IMPORT_ROOT = str(Path(__file__).resolve().parents[2])
"""Where `simulator` and `pipeline` are. First in a child's PYTHONPATH, so that a user's own modules stay out."""


def python_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module of ours, for an environment whose PYTHONPATH begins with `IMPORT_ROOT`.

    -P: Python puts the working directory before everything else otherwise, and it may have a `simulator` of its own.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def child_environ() -> dict[str, str]:
    """The environment of this process, for a child: our modules before whatever the user's PYTHONPATH holds."""
    search = filter(None, (IMPORT_ROOT, os.environ.get("PYTHONPATH")))
    return os.environ | {"PYTHONPATH": os.pathsep.join(search)}
