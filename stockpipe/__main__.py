"""`stockpipe` and `python -m stockpipe`: the command line over our own modules, whatever lies around.

`pipeline`, `simulator` and `cli` are names that a user's project may have too. They are imported from beside this
package before the working directory or PYTHONPATH, which Python searches first, can stand in for them.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    for name in ("pipeline", "simulator", "cli"):
        _import_ours(name)
    from cli import app

    app()


def _import_ours(name: str) -> None:
    if name in sys.modules:
        return
    spec = PathFinder.find_spec(name, [str(Path(__file__).resolve().parents[1])])
    if spec is None or spec.loader is None:
        raise ImportError(f"{name} is not installed beside stockpipe; install stockpipe again")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


if __name__ == "__main__":
    main()
