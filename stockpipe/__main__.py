"""`stockpipe` and `python -m stockpipe`: the command line over our own modules, whatever lies around."""

from __future__ import annotations

import runpy
from pathlib import Path

_ENTRY = Path(__file__).resolve().parents[1] / "simulator" / "base" / "entry.py"


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    # By its path: `simulator`, by its name, may still be another one.
    runpy.run_path(str(_ENTRY))["import_ours"]("pipeline", "simulator", "cli")
    from cli import run

    run()


if __name__ == "__main__":
    main()
