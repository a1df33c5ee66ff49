"""A scenario's captions: placeholders for the parameters in force, and how long a caption takes to read. Pure.

A placeholder names a template parameter or an option of the scenario, or a product of several. A noun may follow:
`{VisibilityTimeout}` is `6`, `{MaxReceiveCount time}` is `1 time` or `3 times`, `{MaximumConcurrency batch/batches}`
gives an irregular plural, and `{FileCount*RowsPerFile row}` is `4,800 rows`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from simulator.base.errors import UnusableValueError
from simulator.base.nearest import did_you_mean
from simulator.base.words import counted

WORDS_PER_S = 2.5
"""The pace of unhurried reading aloud."""
_PLACE = re.compile(r"\{([^{}]*)\}")
_NAMED = re.compile(r"([A-Za-z]\w*(?:\*[A-Za-z]\w*)*)(?: ([A-Za-z][^/]*)(?:/([^/]+))?)?")
_EXAMPLES = "write for example {VisibilityTimeout} or {MaxReceiveCount time}"
_DIGITS = 15


def reading_s(text: str) -> float:
    """How many seconds it takes to read a text aloud."""
    return len(text.split()) / WORDS_PER_S


def filled(text: str, values: Mapping[str, str]) -> str:
    """Replace each placeholder by its value. The `ValueError` names the one that cannot be used."""
    return _PLACE.sub(lambda place: _value(place[1], values), text)


def _value(place: str, values: Mapping[str, str]) -> str:
    named = _NAMED.fullmatch(place)
    if named is None:
        raise UnusableValueError(f"'{{{place}}}' is not a placeholder", _EXAMPLES)
    names, noun, plural = named[1].split("*"), named[2], named[3]
    for name in names:
        if name not in values:
            raise UnusableValueError(f"there is no parameter or option '{name}'", did_you_mean(name, values, _EXAMPLES))
    texts = [values[name] for name in names]
    if len(texts) == 1 and not _is_whole(texts[0]):
        return f"{texts[0]} {plural or noun + 's'}" if noun else texts[0]
    for name, value in zip(names, texts, strict=True):
        if not _is_whole(value):
            raise ValueError(f"'{name}' is '{value}' and not a whole number, so it cannot be multiplied")
    number = math.prod(map(int, texts))
    return counted(number, noun, plural) if noun else f"{number:,}"


def _is_whole(value: str) -> bool:
    return re.fullmatch(r"-?[0-9]+", value) is not None and len(value) <= _DIGITS
