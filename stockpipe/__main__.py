"""`stockpipe` and `python -m stockpipe`: the command line, with our own modules even if others have their names."""

from __future__ import annotations

import os
import signal


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    # Until a command has something to clean up, a signal ends the process at once, without a traceback of imports.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    import runpy
    from pathlib import Path

    # Loaded by path, because the name `simulator` may still mean another module.
    entry = Path(__file__).resolve().parents[1] / "simulator" / "base" / "entry.py"
    runpy.run_path(str(entry))["import_ours"]("pipeline", "simulator", "cli")
    from cli import run

    run()


def _leave(*_: object) -> None:
    """End at once with `ExitCode.INTERRUPTED`'s value; importing it would take time."""
    try:
        os.write(2, b"stockpipe: interrupted\n")
    finally:
        os._exit(130)


if __name__ == "__main__":
    main()
