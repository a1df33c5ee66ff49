"""Chance: random numbers from named streams, and identifiers. No other file of the simulator makes either.

A stream belongs to one reader: two tasks that shared one would change each other's numbers by their order.
"""

from __future__ import annotations

import base64
import random
import secrets

Seed = int | str
_VERSION_4, _NOT_VERSION = 4 << 76 | 2 << 62, ~(0xF << 76 | 3 << 62)
"""The bits of RFC 9562, section 5.4."""


def stream(seed: Seed, name: str, n: int = 0) -> random.Random:
    """The `n`-th stream of that name: the same numbers for the same seed, whatever other streams have drawn."""
    return random.Random(f"{seed}/{name}/{n}")


def unforeseen_seed() -> str:
    """A seed from the machine's entropy, for when nobody chose one."""
    return secrets.token_hex(16)


class Identifiers:
    """Identifiers and opaque tokens from one stream, each given out once."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def uuid(self) -> str:
        """A version 4 UUID, as AWS writes request and message identifiers."""
        digits = f"{self._chance.getrandbits(128) & _NOT_VERSION | _VERSION_4:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def token_bytes(self, size: int) -> bytes:
        """`size` bytes."""
        return self._chance.randbytes(size)

    def token_hex(self, size: int) -> str:
        """`size` bytes in lower-case hexadecimal."""
        return self.token_bytes(size).hex()

    def token_urlsafe(self, size: int) -> str:
        """`size` bytes in unpadded URL-safe base64."""
        return base64.urlsafe_b64encode(self.token_bytes(size)).decode().rstrip("=")
