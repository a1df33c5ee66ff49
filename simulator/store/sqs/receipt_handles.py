"""The receipt handles of one queue: which message and which receive one stands for.

A handle carries its message's place and receive count under a seal, so none has to be kept. Pure: no clock, no I/O.
"""

from __future__ import annotations

import base64
import hashlib
import struct

_BODY = struct.Struct(">QI")
_PREFIX = "AQEB"


class UnknownHandle(Exception):
    """A receipt handle that this queue never gave out."""


class ReceiptHandles:
    """Gives out handles and reads them back; `secret`, at most 64 bytes, is the queue's own."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def give(self, place: int, receives: int) -> str:
        """The handle of the message at `place`, for its receive number `receives`."""
        body = _BODY.pack(place, receives)
        return _PREFIX + base64.b64encode(body + self._seal(body)).decode("ascii")

    def read(self, handle: str) -> tuple[int, int]:
        """Place and receive number of a handle that `give` gave out. Raises `UnknownHandle` for any other text."""
        try:
            raw = base64.b64decode(handle.removeprefix(_PREFIX), validate=True)
        except ValueError:
            raise UnknownHandle(handle) from None
        body = raw[: _BODY.size]
        if raw[_BODY.size :] != self._seal(body):
            raise UnknownHandle(handle)
        place, receives = _BODY.unpack(body)
        return place, receives

    def _seal(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, digest_size=24, key=self._secret).digest()
