"""Chance: streams of random numbers with names, from seeds. Nothing else in the pipeline makes any.

A stream belongs to one reader, so the order in which tasks draw changes nothing. Making one costs more than a draw:
whoever may need none makes it late.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from random import Random


def stream(seed: int | str, name: str, n: int = 0) -> Random:
    """The `n`-th stream of that name: the same numbers for the same seed, whatever other streams gave meanwhile."""
    return Random(f"{seed}/{name}/{n}")


def environment_seed(environ: Mapping[str, str]) -> str:
    """What no two execution environments share, so that they do not pause in step: the name of this one's log.

    Lambda gives each environment a log stream of its own. Where there is none the seed is unforeseen.
    """
    return environ.get("AWS_LAMBDA_LOG_STREAM_NAME") or os.urandom(16).hex()
