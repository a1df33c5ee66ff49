"""Chance: named streams of random numbers, made from seeds. Nothing else in the pipeline makes random numbers.

A stream belongs to one reader, so the order in which tasks draw does not matter. Making a stream costs more than a
draw: make it only when a number is needed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from random import Random


def stream(seed: int | str, name: str, n: int = 0) -> Random:
    """The `n`-th stream of that name: the same numbers for the same seed, whatever other streams have drawn."""
    return Random(f"{seed}/{name}/{n}")


def environment_seed(environ: Mapping[str, str]) -> str:
    """A seed that no two execution environments share, so that they do not pause in step: the name of this one's log.

    Lambda gives each environment its own log stream. Without one, the seed is random.
    """
    return environ.get("AWS_LAMBDA_LOG_STREAM_NAME") or os.urandom(16).hex()
