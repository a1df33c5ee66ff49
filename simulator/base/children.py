"""Python processes of our own: how they are started, so that they import what this process imports."""

from __future__ import annotations

import sys
from pathlib import Path

IMPORT_ROOT = str(Path(__file__).resolve().parents[2])
"""Where `simulator` and `pipeline` are: a child's PYTHONPATH. A user's own modules of these names stay out."""


def python_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module of ours; its environment has PYTHONPATH set to `IMPORT_ROOT`.

    -P: Python puts the working directory before everything else otherwise, and it may have a `simulator` of its own.
    """
    return [sys.executable, "-P", "-m", module, *arguments]
