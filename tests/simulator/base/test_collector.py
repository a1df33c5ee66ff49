"""The garbage collector of a process that runs for long."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import gc, json
from simulator.base.collector import THRESHOLDS, kept_for_good

class Node: pass

kept = Node()
try:
    with kept_for_good():
        within = gc.isenabled()
        raise ImportError
except ImportError:
    after = gc.isenabled()
frozen = not any(each is kept for each in gc.get_objects())
loop = Node()
loop.itself = loop
del loop
found = gc.collect()
print(json.dumps([within, after, frozen, found > 0, gc.get_threshold() == THRESHOLDS]))
"""


def test_what_is_built_in_the_block_is_never_walked_again():
    """There is no collection in the block; afterwards it collects what is new, skips the rest, and runs less often."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == [False, True, True, True, True]
