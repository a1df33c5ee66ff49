"""The encoding of bytes: judged by their marks, by what is valid, and by the resulting words."""

from __future__ import annotations

import pytest

from simulator.files.encodings import encoding_of

WESTERN = "symbol,date,name\nMC,2024-01-02,LVMH Moët\nAAPL,2024-01-02,Apple\nPEUP,2024-01-02,Société\n"


@pytest.mark.parametrize(
    ("codec", "text", "setting"),
    [
        ("ascii", "a,b\n1,2\n", None),
        ("utf-8", WESTERN, None),
        ("utf-8-sig", WESTERN, None),
        ("utf-16", WESTERN, None),
        ("utf-16-le", WESTERN, "utf-16-le"),
        ("utf-16-be", WESTERN, "utf-16-be"),
        ("utf-32", WESTERN, "utf-32-le"),
        ("cp1252", WESTERN, "cp1252"),
        ("cp1252", "date,name,close\n2024-01-02,Müller & Söhne – “A”,5 €\n", "cp1252"),
        ("cp850", WESTERN, "cp850"),
        ("mac_roman", WESTERN, "mac_roman"),
        ("cp1251", "дата;название\n2024-01-02;Сбербанк\n", "cp1251"),
        ("koi8-r", "дата;название\n2024-01-02;Сбербанк\n", "koi8-r"),
        ("gb18030", "日期,开盘,名称\n2024-01-02,1,平安银行\n", "gb18030"),
        ("big5", "日期,開盤,收盤\n2024-01-02,1,2\n", "big5"),
        ("cp932", "日付,始値,終値\n2024/01/02,1,2\n", "cp932"),
        ("cp949", "날짜,시가,종가\n2024-01-02,1,2\n", "cp949"),
        ("cp1250", "date,name\n2024-01-02,Żabka\n2024-01-02,Spółka Akcyjna\n2024-01-02,Łódź\n", "cp1250"),
    ],
)
def test_an_encoding_is_found(codec: str, text: str, setting: str | None) -> None:
    """It comes with the setting for it, which is none for UTF-8 and for UTF-16 with its mark."""
    assert encoding_of(text.encode(codec)).setting == setting


def test_a_file_that_is_utf8_but_for_a_few_bytes_stays_utf8() -> None:
    """Another encoding would garble all its other names."""
    assert encoding_of(WESTERN.encode() * 5 + b"X,2024-01-02,Caf\xe9\n").setting is None


def test_a_character_that_the_head_cuts_decides_nothing() -> None:
    """The first part of a file may end within a character."""
    assert encoding_of(("x" * 2000 + "é").encode()[:-1]).setting is None
