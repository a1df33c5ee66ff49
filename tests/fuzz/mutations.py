"""Ways to spoil a file: its lines and characters, its bytes, its compression."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Callable
from random import Random

SIGNS: tuple[str, ...] = (
    *'",\r\n',
    '""',
    '"\n',
    '",',
    ',"',
    "\r\n",
    "\r\r\n",
    "\n\n",
    "\0",
    "é",
    "\ud8ff",
    "\t",
    ";",
    "|",
    " ",
    ' "',
    '" ',
    "#",
    "\r\n\r",
    "\ufeff",
    "\u2028",
)


def _place(chance: Random, length: int) -> int:
    return chance.randrange(length + 1)


def insert_sign(chance: Random, text: str) -> str:
    """Insert a character that has a meaning."""
    at = _place(chance, len(text))
    return text[:at] + chance.choice(SIGNS) + text[at:]


def drop_character(chance: Random, text: str) -> str:
    """Remove one or a few characters."""
    at = _place(chance, len(text))
    return text[:at] + text[at + chance.choice([1, 1, 1, 2, 5]) :]


def swap_characters(chance: Random, text: str) -> str:
    """Swap two adjacent characters."""
    at = _place(chance, len(text))
    return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]


def exchange_signs(chance: Random, text: str) -> str:
    """Replace one kind of character by another, once or everywhere."""
    old, new = chance.choice(SIGNS[:4]), chance.choice(SIGNS)
    return text.replace(old, new, chance.choice([1, 1, -1]))


def change_lines(chance: Random, text: str) -> str:
    """Drop, double, move or shorten a line, or join it with the next."""
    lines = text.split("\n")
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = lines[at][: _place(chance, len(lines[at]))]
        case _:
            lines[at : at + 2] = ["".join(lines[at : at + 2])]
    return "\n".join(lines)


def change_line_ends(chance: Random, text: str) -> str:
    """Change the kind of line end, or drop the last."""
    match chance.randrange(4):
        case 0:
            return text.replace("\n", "\r\n")
        case 1:
            return text.rstrip("\r\n")
        case 2:
            return text.replace("\n", "\r")
        case _:
            return text + chance.choice(["\n", "\r", "\n\n", "\r\n\r\n"])


def swap_cells(chance: Random, text: str) -> str:
    """Swap two fields of a line, or drop or double one."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    fields = lines[at].split(",")
    one, other = chance.randrange(len(fields)), chance.randrange(len(fields))
    match chance.randrange(3):
        case 0:
            fields[one], fields[other] = fields[other], fields[one]
        case 1:
            del fields[one]
        case _:
            fields.insert(other, fields[one])
    lines[at] = ",".join(fields)
    return "\n".join(lines)


def quote_cells(chance: Random, text: str) -> str:
    """Quote fields of a line, some without a closing quote."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    ends = chance.choice(['"', '"', '"', "", '"x', '""', '"\r'])
    lines[at] = ",".join(f'"{each}{ends}' if chance.random() < 0.5 else each for each in lines[at].split(","))
    return "\n".join(lines)


TEXT: tuple[Callable[[Random, str], str], ...] = (
    *(insert_sign, insert_sign, drop_character, swap_characters, exchange_signs),
    *(change_lines, change_lines, change_line_ends, swap_cells, quote_cells),
)


def encoded(chance: Random, text: str) -> bytes:
    """The text in some encoding, mostly one that can be read."""
    match chance.randrange(10):
        case 0:
            return codecs.BOM_UTF16_LE + text.encode("utf-16-le", "surrogatepass")
        case 1:
            return codecs.BOM_UTF16_BE + text.encode("utf-16-be", "surrogatepass")
        case 2:
            return codecs.BOM_UTF8 + text.encode("utf-8", "surrogatepass")
        case 3:
            return text.encode("cp1252", "replace")
        case 4 if chance.random() < 0.3:
            return text.encode(chance.choice(["utf-16-le", "utf-32", "utf-16-be"]), "surrogatepass")
        case _:
            return as_read(text)


def in_encoding(chance: Random, text: str, name: str) -> bytes:
    """The text as that codec writes it, without what it cannot write or with replacements; sometimes with a mark."""
    if chance.random() < 0.2:
        text = "\ufeff" + text
    try:
        return text.encode(name, chance.choice(["replace", "ignore"]))
    except (UnicodeError, LookupError):
        return as_read(text)


def as_read(text: str) -> bytes:
    """The bytes that were read as this text: UTF-8, and the original bytes where they were not UTF-8."""
    return b"".join(
        each.encode("utf-8", "surrogateescape" if "\udc80" <= each <= "\udcff" else "surrogatepass") for each in text
    )


def spoil_bytes(chance: Random, body: bytes) -> bytes:
    """Flip a bit, or drop, double, swap, cut off or insert bytes."""
    if not body:
        return bytes([chance.randrange(256)])
    at = chance.randrange(len(body))
    match chance.randrange(6):
        case 0:
            return body[:at] + bytes([body[at] ^ 1 << chance.randrange(8)]) + body[at + 1 :]
        case 1:
            return body[:at] + body[at + chance.choice([1, 2, 7]) :]
        case 2:
            length = chance.choice([1, 2, 40])
            return body[: at + length] + body[at:]
        case 3:
            return body[:at] + body[at : at + 2][::-1] + body[at + 2 :]
        case 4:
            return body[:at]
        case _:
            return body[:at] + bytes(chance.choices([0, 10, 13, 34, 44, 255, 0xC3, 0xED, 0x80], k=2)) + body[at:]


def packed(chance: Random, body: bytes) -> bytes:
    """The bytes as gzip: one member or several, padded, flushed in between, with a name."""
    members = []
    cuts = sorted(_place(chance, len(body)) for _ in range(chance.choice([0, 0, 0, 1, 3])))
    for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
        deflater = zlib.compressobj(chance.choice([0, 1, 6, 9]), wbits=31, strategy=chance.choice([0, 0, 2, 4]))
        middle = start + _place(chance, end - start)
        member = deflater.compress(body[start:middle])
        if chance.random() < 0.3:
            member += deflater.flush(chance.choice([zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH]))
        member += deflater.compress(body[middle:end]) + deflater.flush()
        if chance.random() < 0.1:
            member = gzip.compress(body[start:end], mtime=0)[:3] + b"\x08" + member[4:10] + b"name\0" + member[10:]
        members.append(member + b"\0" * chance.choice([0, 0, 0, 1, 5]))
    return b"".join(members)
