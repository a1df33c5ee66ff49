"""The bytes of a text -> its characters, by a mark at their beginning or by a named encoding. No I/O.

Bytes that are not text never stop it: each becomes a lone surrogate, U+DC00 plus the byte's value.
"""

from __future__ import annotations

import codecs

from simulator.proof.unpacking import HEAD_BYTES, refuse_other_formats

ERRORS = "stockpipe-proof-bytes"
_ASCII = bytes(range(128))
_PROBE = b"a,b\n"
_MARK = "\ufeff"
_MARKED = {"utf-16": (2, "utf-16-be", "utf-16-le"), "utf-32": (4, "utf-32-be", "utf-32-le")}
"""Encodings whose mark gives the byte order: its length, and the name for either order, the second without a mark."""
_ESCAPE_BYTES = 17  # more than Python examines to find the end of one


def _as_surrogates(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - nothing is encoded by this handler
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(ERRORS, _as_surrogates)


def bad_encoding(name: str) -> str | None:
    """Why objects cannot be read by a codec of this name; None if they can."""
    try:
        known = codecs.lookup(name).name
        if known in _MARKED:
            return None
        if known.replace("_", "-").endswith("unicode-escape"):
            return "how Python writes text in a program, not how a file is written"
        _PROBE.decode(name, "replace")  # Python refuses this for a codec that does not make text
    except UnicodeDecodeError:
        pass  # from the codec, or from another error handler
    except (LookupError, ValueError):
        return "not a text encoding that Python knows"
    try:
        codecs.getincrementaldecoder(name)(ERRORS).decode(_PROBE, True)
    except LookupError:
        return "an encoding that cannot be read in pieces"
    except Exception as error:  # noqa: BLE001 - a codec may raise whatever it likes
        return f"an encoding that cannot be read: {error}".splitlines()[0]
    return None


def is_ascii_and_more(name: str) -> bool:
    """Whether the bytes of ASCII mean the same in the codec of this name."""
    try:
        return _ASCII.decode(name) == _ASCII.decode("ascii")
    except UnicodeError:
        return False


class TextDecoder:
    """Feed it bytes in any pieces; it returns their text. `beyond_ascii`: whether that had anything but ASCII.

    Without an encoding it is UTF-16 if marked as such, else UTF-8. One mark at the beginning is dropped.
    """

    def __init__(self, encoding: str | None) -> None:
        self.beyond_ascii = False
        self._encoding = encoding
        self._decoder: codecs.IncrementalDecoder | None = None
        self._head = b""
        self._escapes = encoding is not None and codecs.lookup(encoding).name.startswith("iso2022")
        self._held = b""
        self._begun = False

    def feed(self, piece: bytes, *, final: bool = False, hasten: bool = False) -> str:
        """The text that `piece` completes. Raises `Unreadable` if the object's format is not text.

        The first bytes are kept until there are enough to decide; `hasten`: nothing more comes.
        """
        if self._decoder is None:
            self._head += piece
            if len(self._head) < HEAD_BYTES and not final and not hasten:
                return ""
            piece, self._head = self._head, b""
            self._decoder = self._for(piece)
        if self._escapes:
            piece, self._held = _whole_escapes(self._held + piece, final=final)
        text = self._decoder.decode(piece, final)
        if text and not self._begun:
            self._begun = True
            text = text.removeprefix(_MARK)
        if self._encoding is not None and not self.beyond_ascii:
            self.beyond_ascii = not text.isascii()
        return text

    def _for(self, head: bytes) -> codecs.IncrementalDecoder:
        refuse_other_formats(head[:HEAD_BYTES])
        encoding = self._encoding
        if encoding is None:
            encoding = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(head[:2], "utf-8")
        elif (known := codecs.lookup(encoding).name) in _MARKED:
            length, big, little = _MARKED[known]
            encoding = big if head[:length] == _MARK.encode(big) else little
        return codecs.getincrementaldecoder(encoding)(ERRORS)


def _whole_escapes(body: bytes, *, final: bool) -> tuple[bytes, bytes]:
    """The bytes that can be decoded, and those that must wait: Python mishandles a broken escape that is cut."""
    cut = len(body)
    while not final and (escape := body.find(b"\x1b", max(0, cut - _ESCAPE_BYTES), cut)) >= 0:
        cut = escape
    return body[:cut], body[cut:]
