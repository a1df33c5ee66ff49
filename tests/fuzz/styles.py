"""How a random file is written, and the settings for it: mostly those that fit, some that do not."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

DELIMITERS = {
    ",": (",", "comma", "COMMA", "auto"),
    ";": (";", "semicolon", "Semicolon"),
    "\t": ("\t", "\\t", "tab"),
    "|": ("|", "bar", "pipe", "Pipe"),
}
ENCODINGS = (
    *("utf-8", "UTF8", "utf-8-sig", "cp1252", "cp1252", "latin-1", "shift_jis", "shift_jis", "utf-16-le", "utf-16-be"),
    *("utf-16", "utf-32", "utf-32-le", "utf-32-be", "gb18030", "big5", "euc_jp", "euc_kr", "iso2022_jp", "utf-7", "hz"),
    *("cp037", "koi8-r", "mac_roman", "ascii"),
)
ZONES = (
    *("America/New_York", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "UTC", "GMT"),
    *("Pacific/Apia", "Africa/Casablanca", "Etc/GMT+5", "Asia/Tokyo", "EST5EDT", "America/Sao_Paulo"),
)
NULLS = ("-", "NULL,N/A", "null,\\N,-", '"a,b",NaN', " - , x ,", '"",,', "1", '" - ",-', "é,-", "-,1.5,,2024-01-02")
COMMENTS = ("#", "#", "//", "--", "# ", ";", ",", "é", "1", "2024-01-02", "%", "ticker", "|")
ODD: dict[str, tuple[str, ...]] = {
    "DELIMITER": ("x", ",,", " ", "\\", "Auto", "", '"', "\n"),
    "DECIMAL_SEPARATOR": ("point", "comma", ";", "", " "),
    "SKIP_LINES": ("-1", "1000001", "1000000", "x", "1.5", "", "0", "00", "+1", " 1"),
    "COMMENT": ('"', " #", "\t#", "#\n", "a\rb", "", '#"', "# \t"),
    "COLUMN_NAMES": (
        *("a,b", "date,date", "date,Date", '"date', '"date"x', "ticker", "", ",", "date,", 'date,"x,y"', "date,a,<a>"),
        *(
            "<date>,<time>,n",
            "date\nn",
            'date,"a\nb"',
            " date , n ",
            "timestamp,ticker,a b,A_B",
            "date,\udcff",
            "a,b,c,d",
        ),
    ),
    "ENCODING": ("nonsense", "hex", "rot13", "undefined", "idna", "punycode", "unicode_escape", "", " utf-8", "a\0"),
    "NULL_VALUES": ('"x', '"x"y', ",", "", "a\nb", '"a\nb"', '"x" , y'),
    "NUMBERS": ("JSON", "strict", "", "lenient "),
    "TIME_ZONE": ("utc", "Nope/Zone", "", "Europe", "../zones", "zone.tab", "Europe/berlin", "localtime", "posixrules"),
    "TIMESTAMP_COLUMN": ("date+time", "Date + Time", "+", "date+date", "+date", "date+", "a+b+c", "<date>+<time>"),
}
"""Values at an edge, malformed ones among them; all are taken or refused by both sides."""
LONG = 70


@dataclass(frozen=True, slots=True)
class Style:
    """How a text is written."""

    delimiter: str = ","
    decimal: str = "."
    lenient: bool = False
    null: tuple[str, ...] = ()
    comment: str | None = None
    before: tuple[str, ...] = ()
    header: bool = True
    blanks: float = 0.0
    ends: tuple[str, ...] = ("\n",)
    encoding: str | None = None


def choose(chance: Random, header: list[str]) -> tuple[Style, dict[str, str]]:
    """A style, and settings that fit it, more or less."""
    style, environ = Style(), dict[str, str]()
    parts = (_delimiter, _numbers, _nulls, _comment, _before, _names, _encoding, _rest)
    chosen = chance.sample(parts, k=chance.choice([1, 2, 2, 3, 3, len(parts)]))
    for part in parts:
        if part in chosen:
            style = part(chance, style, environ, header)
    if chance.random() < 0.08:
        name = chance.choice([*ODD])
        environ[name] = chance.choice(ODD[name])
    return style, environ


def _delimiter(chance: Random, style: Style, environ: dict[str, str], header: list[str]) -> Style:
    delimiter = chance.choice([",", ",", ";", "\t", "|"])
    if chance.random() < 0.5:
        environ["DELIMITER"] = chance.choice(DELIMITERS[delimiter if chance.random() < 0.9 else chance.choice(",;\t|")])
    return replace(style, delimiter=delimiter)


def _numbers(chance: Random, style: Style, environ: dict[str, str], header: list[str]) -> Style:
    if chance.random() < 0.6:
        style = replace(style, decimal=",")
        if chance.random() < 0.9:
            environ["DECIMAL_SEPARATOR"] = ","
    if chance.random() < 0.6:
        style = replace(style, lenient=True)
        if chance.random() < 0.9:
            environ["NUMBERS"] = "lenient"
    return style


def _nulls(chance: Random, style: Style, environ: dict[str, str], header: list[str]) -> Style:
    environ["NULL_VALUES"] = chance.choice(NULLS)
    words = environ["NULL_VALUES"].replace('"', "").split(",")
    return replace(style, null=tuple(word for word in words if word))


def _comment(chance: Random, style: Style, environ: dict[str, str], header: list[str]) -> Style:
    comment = chance.choice(COMMENTS)
    if chance.random() < 0.9:
        environ["COMMENT"] = comment
    return replace(style, comment=comment)


def _before(chance: Random, style: Style, environ: dict[str, str], header: list[str]) -> Style:
    before: list[str] = []
    if chance.random() < 0.4:
        before.append(_sep(chance, style.delimiter))
    if chance.random() < 0.7:
        before += [_preamble(chance) for _ in range(chance.choice([1, 1, 2, 3, 5]))]
        environ["SKIP_LINES"] = str(max(0, len(before) + chance.choice([0, 0, 0, 0, 1, -1])))
    return replace(style, before=tuple(before))


def _names(chance: Random, style: Style, environ: dict[str, str], header: list[str]) -> Style:
    environ["COLUMN_NAMES"] = _listed(chance, header if chance.random() < 0.9 else header[1:])
    return replace(style, header=chance.random() < 0.1)


def _encoding(chance: Random, style: Style, environ: dict[str, str], header: list[str]) -> Style:
    environ["ENCODING"] = chance.choice(ENCODINGS)
    return replace(style, encoding=environ["ENCODING"] if chance.random() < 0.9 else chance.choice(ENCODINGS))


def _rest(chance: Random, style: Style, environ: dict[str, str], header: list[str]) -> Style:
    if chance.random() < 0.6:
        environ["TIME_ZONE"] = chance.choice(ZONES)
    return replace(
        style,
        blanks=chance.choice([0.0, 0.0, 0.1, 0.5]),
        ends=chance.choice([("\n",), ("\r\n",), ("\r",), ("\n", "\r\n"), ("\n", "\r", "\r\n", "\n\n", "\n\r")]),
    )


def _sep(chance: Random, delimiter: str) -> str:
    text = "".join(chance.choice([sign, sign.upper()]) for sign in "sep=")
    text += delimiter if chance.random() < 0.7 else chance.choice([*"e #", "::", "", "é", "\0", "\udc80"])
    return f'"{text}"' if chance.random() < 0.3 else text + chance.choice(["", "", "", " ", '"'])


def _preamble(chance: Random) -> str:
    return chance.choice(
        [
            "",
            "Report",
            '"',
            'a "quoted" note',
            '"open',
            "a,b;c|d",
            "#",
            "sep=;",
            " ",
            "x" * LONG,
            '"' * LONG,
            "ticker,date",
        ]
    )


def _listed(chance: Random, names: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written, quoting=chance.choice([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), lineterminator="").writerow(names)
    return written.getvalue()


def write(chance: Random, style: Style, header: list[str], rows: list[list[str]]) -> str:
    """The table in this style."""
    quote = chance.choice([_always, _if_needed, _if_needed, _sometimes])
    lines = list(style.before)
    if style.header:
        lines.append(_line(chance, style, header, quote))
    for row in rows:
        if style.null:
            row = [chance.choice(style.null) if chance.random() < 0.1 else cell for cell in row]
        lines.append(_line(chance, style, row, quote))
    for line in (*_comments(chance, style), *_blank_lines(chance, style)):
        lines.insert(chance.randrange(len(lines) + 1), line)
    end = style.ends[0]
    text = "".join(line + (end if len(style.ends) == 1 else chance.choice(style.ends)) for line in lines)
    return text.rstrip("\r\n") if chance.random() < 0.2 else text


def _line(chance: Random, style: Style, cells: list[str], quote: Callable[[Random, str, str], bool]) -> str:
    written = []
    for cell in cells:
        text = cell
        if quote(chance, cell, style.delimiter):
            text = '"' + cell.replace('"', '""') + '"'
        if style.blanks and chance.random() < style.blanks:
            text = chance.choice(["", " ", "\t", "  "]) + text + chance.choice(["", " ", "\t", " \t"])
        written.append(text)
    return style.delimiter.join(written)


def _always(chance: Random, cell: str, delimiter: str) -> bool:
    return True


def _if_needed(chance: Random, cell: str, delimiter: str) -> bool:
    return any(sign in cell for sign in (delimiter, '"', "\n", "\r"))


def _sometimes(chance: Random, cell: str, delimiter: str) -> bool:
    return chance.random() < 0.3 or (_if_needed(chance, cell, delimiter) and chance.random() < 0.9)


def _comments(chance: Random, style: Style) -> list[str]:
    if style.comment is None:
        return []
    texts = ["", " a note", '"', 'a "note" b', ",,,", "x" * LONG]
    return [
        chance.choice(["", "", " ", "\t", " \t"]) + style.comment + chance.choice(texts)
        for _ in range(chance.choice([1, 1, 2, 4]))
    ]


def _blank_lines(chance: Random, style: Style) -> list[str]:
    if chance.random() < 0.8:
        return []
    return [
        chance.choice(["", " ", "\t", " \t ", style.delimiter, '""', " " * LONG]) for _ in range(chance.choice([1, 3]))
    ]
