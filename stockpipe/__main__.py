"""`stockpipe` and `python -m stockpipe`: the command line over our own modules, whatever lies around."""

from __future__ import annotations

import os
import signal


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    # Until a command has something to clean up, a signal is the end: a traceback of imports would help nobody.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    import runpy
    from pathlib import Path

    # By its path: `simulator`, by its name, may still be another one.
    entry = Path(__file__).resolve().parents[1] / "simulator" / "base" / "entry.py"
    runpy.run_path(str(entry))["import_ours"]("pipeline", "simulator", "cli")
    from cli import run

    run()


def _leave(*_: object) -> None:
    """End at once, as `ExitCode.INTERRUPTED` has it; nothing is imported for it."""
    try:
        os.write(2, b"stockpipe: interrupted\n")
    finally:
        os._exit(130)


if __name__ == "__main__":
    main()
