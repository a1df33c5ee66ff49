"""Our own modules, whatever lies around: `pipeline`, `simulator` and `cli` are names that a user may have used too.

Run by its path, `python -P entry.py MODULE ARGUMENTS` is `python -m MODULE ARGUMENTS` with our packages instead of any
that the working directory or PYTHONPATH, which Python searches first, would give. All else is found as ever.
"""

import importlib.util
import runpy
import sys
from importlib.machinery import PathFinder
from pathlib import Path


def import_ours(*names: str) -> None:
    """Import each from beside this package. Raises `ImportError` where one is not."""
    for name in names:
        if name in sys.modules:
            continue
        spec = PathFinder.find_spec(name, [str(Path(__file__).resolve().parents[2])])
        if spec is None or spec.loader is None:
            raise ImportError(f"{name} is not installed beside stockpipe; install stockpipe again")
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


if __name__ == "__main__":
    import_ours("pipeline", "simulator")
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
