"""Which encoding bytes are in: judged by marks, by validity, and by whether the result looks like words. Pure."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from simulator.base.words import counted

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = ("cp1252", "cp850", "mac_roman")
_PUNCTUATION = frozenset("€£¥§©®°´·ºª¿¡«»™–—…•‘’“”\u00a0±²³½¼¾µ")
_RUSSIAN = ("дата", "Дата", "время", "Время", "цена", "Цена", "тикер", "Тикер")
_TELLING = {
    "cp932": ("日付", "銘柄", "終値", "始値", "年月日", "コード"),
    "gb18030": ("日期", "代码", "收盘", "名称", "时间", "开盘"),
    "big5": ("日期", "代號", "收盤", "證券", "開盤", "股票"),
    "cp949": ("날짜", "일자", "종가", "시가", "종목"),
    "koi8-r": _RUSSIAN,
    "cp1251": _RUSSIAN,
}
"""Words from the headers of quote files, which no other encoding makes of the same bytes."""
LAST_LATIN = 0x17F
"""The last letter of Europe's Latin alphabets."""
_SAMPLE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class EncodingFound:
    """`codec` decodes the bytes; `setting` is the value for ENCODING, None if the consumer detects the encoding."""

    codec: str
    setting: str | None
    why: str


def encoding_of(data: bytes) -> EncodingFound:
    """The encoding of a file that begins with these bytes."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            found_by_itself = not codec.startswith("utf-32")
            return EncodingFound(codec, None if found_by_itself else codec, f"{codec.upper()} by its mark")
    if (utf16 := _unmarked_utf16(data)) is not None:
        return EncodingFound(utf16, utf16, "every other byte is zero, as in UTF-16 without a mark")
    text = data.decode("utf-8", "surrogateescape")
    bad = len(re.findall("[\udc80-\udcff]", text))
    # The last character may be cut off.
    if not bad or (bad <= 3 and re.fullmatch("[^\udc80-\udcff]*[\udc80-\udcff]{1,3}", text) and len(data) > 1000):
        return EncodingFound("utf-8", None, "valid UTF-8")
    if bad < len(re.findall("[^\0-\x7f\udc80-\udcff]", text)):
        return EncodingFound("utf-8", None, f"UTF-8 but for {counted(bad, 'byte')}")
    return _legacy(data)


def _unmarked_utf16(data: bytes) -> str | None:
    sample = data[:4096]
    first, second, half = sample[::2].count(0), sample[1::2].count(0), len(sample) // 2
    if half >= 2 and second > half * 0.6 and first < half * 0.1:
        return "utf-16-le"
    if half >= 2 and first > half * 0.6 and second < half * 0.1:
        return "utf-16-be"
    return None


def _legacy(data: bytes) -> EncodingFound:
    """One of the encodings with one or two bytes per character."""
    for codec in _WESTERN:
        text = _decoded(data, codec)
        if text is not None and _looks_western(text):
            return EncodingFound(codec, codec, f"not UTF-8; as {codec} its letters are in words of Western languages")
    for codec, words in _TELLING.items():
        text = _decoded(data, codec) or ""
        if word := next((word for word in words if word in text), None):
            return EncodingFound(codec, codec, f"not UTF-8; as {codec} it has the word {word!r}")
    import charset_normalizer  # hardly any file needs it

    best = charset_normalizer.from_bytes(data[:_SAMPLE_BYTES]).best()
    codec = best.encoding if best is not None and _decoded(data, best.encoding) is not None else "cp1252"
    if codec in ("ascii", "utf_8"):
        return EncodingFound("utf-8", None, "UTF-8 but for a few bytes")
    return EncodingFound(codec, codec, f"not UTF-8; {codec} is the likeliest by its letters, so look at the names")


def _decoded(data: bytes, codec: str) -> str | None:
    """The text, None if these bytes are not valid in the encoding; the last character may be cut off."""
    try:
        return codecs.getincrementaldecoder(codec)().decode(data)
    except (UnicodeDecodeError, LookupError):
        return None


def _looks_western(text: str) -> bool:
    """Whether letters beyond ASCII occur singly among ASCII letters, as accented ones do."""
    beyond = list(re.finditer("[^\0-\x7f]", text))
    letters = [match for match in beyond if match[0] not in _PUNCTUATION]
    if any(not match[0].isalpha() or ord(match[0]) > LAST_LATIN for match in letters):
        return False
    odd = sum(_is_odd(text, match.start()) for match in letters)
    inside = sum(_is_inside(text, match.start()) for match in beyond if match[0] in _PUNCTUATION - {"’", "´", "·"})
    return odd * 4 <= len(letters) and inside * 4 <= len(beyond)


def _is_odd(text: str, at: int) -> bool:
    """Whether a capital inside a lower-case word, or adjacent letters beyond ASCII, suggest another alphabet."""
    before = text[at - 1] if at else " "
    return (before.islower() and text[at].isupper()) or not before.isascii()


def _is_inside(text: str, at: int) -> bool:
    """Whether a mark between two letters suggests that it is a letter in another encoding."""
    return 0 < at < len(text) - 1 and text[at - 1].isalpha() and text[at + 1].isalpha()
