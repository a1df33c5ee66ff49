"""Makes sure that our modules are found: a user may have modules called `pipeline`, `simulator` or `cli`, too.

`python -P entry.py MODULE ARGUMENTS` is `python -m MODULE ARGUMENTS`, but with our packages instead of any of the same
names in the working directory or PYTHONPATH, which Python searches first. Everything else is found as usual.
"""

import importlib.util
import runpy
import sys
from importlib.machinery import PathFinder
from pathlib import Path


def import_ours(*names: str) -> None:
    """Import each from beside this package. Raises `ImportError` if one is not there."""
    for name in names:
        if name in sys.modules:
            continue
        spec = PathFinder.find_spec(name, [str(Path(__file__).resolve().parents[2])])
        if spec is None or spec.loader is None:
            raise ImportError(f"{name} is not installed beside stockpipe; reinstall stockpipe")
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


if __name__ == "__main__":
    import_ours("pipeline", "simulator")
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
