"""The log of all observations as one number, by which two runs in virtual time are compared."""

from __future__ import annotations

from hashlib import sha256

import orjson

from simulator.base.observations import Observation


class Digest:
    """Counts the observations that it is given, and hashes all that they say, in their order."""

    def __init__(self) -> None:
        self._count, self._hash = 0, sha256()

    def record(self, observation: Observation) -> None:
        """Take in one more; a `Record`."""
        self._count += 1
        self._hash.update(type(observation).__name__.encode())
        try:
            self._hash.update(orjson.dumps(observation))
        except TypeError:  # text that is no Unicode
            self._hash.update(repr(observation).encode("utf-8", "surrogatepass"))

    def as_json(self) -> dict[str, int | str]:
        """How many there were, and the SHA-256 of all, in hexadecimal."""
        return {"count": self._count, "sha256": self._hash.hexdigest()}
