"""Runs a command with a bug planted: `python -m planted NAME ARGUMENTS...`.

On the path, the project comes before its tests, whose folders have the names of packages.
"""

from __future__ import annotations

import sys

from planted.bugs import BUGS
from planted.planting import planted


def run() -> None:
    """Plant the bug, then do as `python -m stockpipe ARGUMENTS...` does."""
    planted(BUGS[sys.argv.pop(1)])
    from stockpipe.__main__ import main  # after the bug is planted

    main()


if __name__ == "__main__":
    run()
