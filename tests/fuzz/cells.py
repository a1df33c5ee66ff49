"""Cells as in real files, odd ones, and those at DynamoDB's limits."""

from __future__ import annotations

from random import Random

FORMATS = ("%b %d %Y", "%d.%m.%Y", "%m/%d/%Y %H:%M", "%Y-%m-%d", "%d/%m/%Y %H:%M %z", "%Y%m%d", "100%% %Y", "%y-%j %p")
ZONED_FORMATS = (
    "%Y-%m-%d %H:%M %Z",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y %I:%M %p",
    "%Y%m%d%H%M%S",
    "%Y-%m-%d%Z",
    "%H %%Z %Y %Z",
)
ODD: tuple[str, ...] = (
    *("", "", " ", "a", "A", "null", "NaN", "Infinity", "N/A", "-", "+1", "01", ".5", "5.", " 1", "1 ", "1,608.00"),
    *("1_000", "٣", "0x1", "é", "😀", "株式", "\0", "\t", "\ufeff", "\u2028", "\x85", "\x0b", "\x1c", "%s", "%(a)s"),
    *(
        '"',
        '""',
        'say "hi"',
        '"quoted"',
        '"open',
        "two\nlines",
        "\n",
        "\r",
        "\r\n",
        "a\rb",
        "a,b",
        ",",
        "\\",
        "'",
        "{}",
    ),
    *("\ud800", "\udc80", "\udfff", "\x7f", "=1+1", "1e", "e1", "--1", "1-1", "True", "𝟙", "-", "−1", "1\u00a0000"),
)


def number(chance: Random, odd: float = 0.7, decimal: str = ".", lenient: bool = False) -> str:
    """A number; `odd` is the share of those at a limit, `lenient` numbers may have groups of digits and so on."""
    text = _json_number(chance, odd)
    whole, point, rest = text.partition(".")
    grouping = "," if decimal == "." else "."
    if lenient and chance.random() < 0.4:
        match chance.randrange(6):
            case 0:
                text = f"+{text}"
            case 1:
                text = text.lstrip("0") if chance.random() < 0.5 else text.replace("0.", ".", 1)
            case 2:
                text = whole + "."
            case 3 if whole.lstrip("-").isdigit():
                text = f"{int(whole):,}" + point + rest
            case 4:
                text = chance.choice(
                    ["1,234", "12,34", "1,234,567.5", ",123", "0,123", "007", "1,234.", "-.5e3", "1,234e5"]
                )
            case _:
                at = chance.randrange(len(text) + 1)
                text = text[:at] + chance.choice(["+", ",", ".", "0"]) + text[at:]
    if decimal == ",":
        text = text.translate({ord("."): decimal, ord(","): grouping})
    return text


def _json_number(chance: Random, odd: float) -> str:
    kind = chance.randrange(2, 6) if chance.random() < odd else chance.randrange(2)
    if kind == 0:
        return str(chance.randrange(-1000, 1000))
    if kind == 1:
        return f"{chance.uniform(-1000, 1000):.{chance.randrange(7)}f}"
    sign = chance.choice(["", "", "", "-", "+"])
    digits = "".join(chance.choices("0123456789", k=chance.choice([1, 2, 18, 19, 37, 38, 39, 40])))
    if kind == 2:
        return sign + digits.lstrip("0") + "0" * chance.choice([0, 0, 1, 5, 87, 88, 89])
    if kind == 3:
        return f"{sign}0.{'0' * chance.choice([0, 1, 90, 91, 92, 129, 130])}{digits}"
    exponent = chance.choice(
        [*range(-4, 5), 124, 125, 126, -129, -130, -131, 88, 999_999_999, 9_999_999_999, -(10**20)]
    )
    mantissa = chance.choice(["0", "0.0", "1", "9.99", "0.1", "10", "1." + digits, digits, f"0.{digits}"])
    return f"{sign}{mantissa}{chance.choice('eE')}{chance.choice(['', '+', '0']) if exponent >= 0 else ''}{exponent}"


def timestamp(chance: Random, few: bool = False) -> str:
    """A timestamp in some form, often an invalid one; `few`: of few days, so that keys repeat."""
    if not few and chance.random() < 0.15:
        return unix_time(chance) if chance.random() < 0.5 else clock_change(chance)
    year = chance.choice([2024, 2024, 2023, 1, 9999, 0, 10_000]) if chance.random() < 0.1 else 2024
    month = chance.choice([1, 2, 12]) if chance.random() < 0.9 else chance.randrange(15)
    day = chance.randrange(1, 4 if few else 29) if chance.random() < 0.9 else chance.randrange(34)
    dash = chance.choice(["-", "-", "-", "", "/", "."]) if chance.random() < 0.3 else "-"
    date = f"{year:04d}{dash}{month:02d}{dash}{day:02d}"
    if few or chance.random() < 0.4:
        return date if chance.random() < 0.95 else f" {date}"
    hour, minute, second = chance.randrange(24), chance.randrange(60), chance.randrange(60)
    if chance.random() < 0.1:
        hour, minute, second = chance.choice([(24, 0, 0), (23, 59, 60), (0, 60, 0), (25, 0, 0), (23, 59, 59)])
    colon = chance.choice([":", ":", ":", ""])
    digits = 2 if chance.random() < 0.9 else 1
    time = f"{hour:0{digits}d}{colon}{minute:02d}" + (f"{colon}{second:02d}" if chance.random() < 0.8 else "")
    if chance.random() < 0.4:
        places = chance.choice([1, 3, 6, 7, 9, 12])
        time += chance.choice(["..,", "."])[0] + "".join(chance.choices("0123456789", k=places))
        if chance.random() < 0.5:
            time += "0" * chance.randrange(8)
    if chance.random() < 0.5:
        return f"{date}{chance.choice('T ')}{time}{chance.choice(['', 'Z', '+01:00'])}"
    zones = [
        "",
        "",
        "Z",
        "z",
        " Z",
        "+00:00",
        "-05:00",
        "+0530",
        "-23:59",
        "+24:00",
        "+14",
        "-1",
        " EST",
        "+05:75",
        "+00:0",
    ]
    return date + chance.choice("TTT t_") + time + chance.choice(zones)


def unix_time(chance: Random) -> str:
    """Seconds since 1970 or a part of them, or nearly."""
    digits = chance.choice([10, 10, 13, 16, 19, 9, 11, 12, 14, 18, 20])
    text = "".join(chance.choices("0123456789", k=digits)) if chance.random() < 0.5 else "1704189845123456789"[:digits]
    if chance.random() < 0.5:
        text = text[:16] + "0" * len(text[16:])
    return chance.choice(["", "", "", "", "-", "+", " "]) + text + chance.choice(["", "", "", "", ".5", "Z", " "])


def clock_change(chance: Random) -> str:
    """A local time near an hour that some zone lacks or has twice."""
    date = chance.choice(
        [
            *("2024-03-10", "2024-11-03", "2024-03-31", "2024-10-27", "2024-04-07", "2024-10-06", "2011-12-30"),
            *("2011-12-29", "2011-12-31", "0001-01-01", "9999-12-31", "2018-11-04", "2018-02-17", "1883-11-18"),
        ]
    )
    hour, minute = chance.choice([0, 1, 1, 2, 2, 3, 12, 23]), chance.choice([0, 1, 29, 30, 59])
    second = chance.choice(["", ":00", ":59", ":59.999999", ":00.5"])
    return f"{date}{chance.choice('T ')}{hour:02d}:{minute:02d}{second}{chance.choice(['', '', '', 'Z', '+01:00'])}"


def time_of_day(chance: Random) -> str:
    """A cell for a column beside a date."""
    return chance.choice(
        [
            *(
                "09:30",
                "9:30",
                "09:30:00",
                "093000",
                "0930",
                "23:59:59.999999",
                "",
                " ",
                "02:30:00",
                "01:30",
                "9:30:00Z",
            ),
            *("09:30 +01:00", "24:00", "x", " 10:00 ", "3 PM", "00:00"),
        ]
    )


def formatted(chance: Random, timestamp_format: str) -> str:
    """A timestamp in some other format, or nearly."""
    values = {
        "%b": chance.choice(["Jan", "feb", "DEC", "Jam"]),
        "%d": chance.choice(["1", "02", "31", "32"]),
        "%m": chance.choice(["1", "02", "13"]),
        "%Y": chance.choice(["2024", "0001", "9999", "24"]),
        "%y": chance.choice(["24", "99"]),
        "%j": chance.choice(["001", "366", "367"]),
        "%H": chance.choice(["0", "09", "24"]),
        "%M": chance.choice(["0", "59", "60"]),
        "%p": chance.choice(["AM", "pm"]),
        "%z": chance.choice(["+0000", "-05:00", "Z", "+2400"]),
        "%%Z": "%Z",
        "%Z": chance.choice(["UTC", "utc", "GMT", "Z", "z", "EST", "CET", ""]),
        "%S": chance.choice(["0", "59", "61"]),
        "%I": chance.choice(["1", "12", "0"]),
        "%%": "%",
    }
    text = timestamp_format
    for directive, value in values.items():
        text = text.replace(directive, value)
    return text


def cell(chance: Random) -> str:
    """Any cell."""
    kind = chance.randrange(8)
    if kind < 3:
        return number(chance)
    if kind == 3:
        return timestamp(chance)
    if kind == 4:
        return "".join(chance.choices(ODD, k=2))
    if kind == 5:
        return "x" * chance.choice([1, 10, 100, 1000])
    return chance.choice(ODD)
