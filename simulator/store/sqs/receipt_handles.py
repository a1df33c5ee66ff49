"""The receipt handles of one queue: each identifies a message and one of its receives.

A handle holds its message's place and receive count under a seal, so none is stored. Pure: no clock, no I/O.
"""

from __future__ import annotations

import base64
import hashlib
import struct

_BODY = struct.Struct(">QI")
_PREFIX = "AQEB"


class UnknownHandle(Exception):
    """A receipt handle that the queue never gave out."""


def give_handle(secret: bytes, place: int, receives: int) -> str:
    """The handle of the message at `place`, for its receive number `receives`; `secret` is the queue's."""
    body = _BODY.pack(place, receives)
    return _PREFIX + base64.b64encode(body + _seal(secret, body)).decode("ascii")


def read_handle(secret: bytes, handle: str) -> tuple[int, int]:
    """Place and receive number from a handle made with that secret. Raises `UnknownHandle` for any other text."""
    try:
        raw = base64.b64decode(handle.removeprefix(_PREFIX), validate=True)
    except ValueError:
        raise UnknownHandle(handle) from None
    body = raw[: _BODY.size]
    if raw[_BODY.size :] != _seal(secret, body):
        raise UnknownHandle(handle)
    place, receives = _BODY.unpack(body)
    return place, receives


def _seal(secret: bytes, body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=24, key=secret).digest()
