"""A scenario's captions: placeholders for the parameters in force, and how long a caption takes to read. Pure.

A placeholder names a template parameter or an option of the scenario, or a product of several. A noun may follow:
`{VisibilityTimeout}` is `6`, `{MaxReceiveCount time}` is `1 time` or `3 times`, `{MaximumConcurrency batch/batches}`
gives an irregular plural, and `{FileCount*RowsPerFile row}` is `4,800 rows`. `{{` and `}}` are braces.
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
_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_NAMED = re.compile(r"([A-Za-z]\w*(?:\*[A-Za-z]\w*)*)(?: ([A-Za-z][^/]*)(?:/([^/]+))?)?")
_EXAMPLES = "write for example {VisibilityTimeout} or {MaxReceiveCount time}, and {{ and }} for braces"
_DIGITS = 15


def reading_s(text: str) -> float:
    """How many seconds it takes to read a text aloud."""
    return len(text.split()) / WORDS_PER_S


def filled(text: str, values: Mapping[str, str | None]) -> str:
    """Replace each placeholder by its value. The `ValueError` names the one that cannot be used.

    None is the value of an option that does not apply to the run.
    """
    return _PLACE.sub(lambda place: place[0][0] if place[1] is None else _value(place[1], values), text)


def _value(place: str, values: Mapping[str, str | None]) -> str:
    named = _NAMED.fullmatch(place)
    if named is None:
        raise UnusableValueError(f"'{{{place}}}' is not a placeholder", _EXAMPLES)
    names, noun, plural = named[1].split("*"), named[2], named[3]
    texts = [_text(name, values) for name in names]
    if len(texts) == 1 and not _is_whole(texts[0]):
        if not noun:
            return texts[0]
        if not _is_decimal(texts[0]):
            raise UnusableValueError(f"'{names[0]}' is '{texts[0]}' and not a number", f"write {{{names[0]}}}")
        return counted(float(texts[0]), noun, plural)
    for name, value in zip(names, texts, strict=True):
        if not _is_whole(value):
            raise ValueError(f"'{name}' is '{value}' and not a whole number, so it cannot be multiplied")
    number = math.prod(map(int, texts))
    return counted(number, noun, plural) if noun else f"{number:,}"


def _text(name: str, values: Mapping[str, str | None]) -> str:
    if name not in values:
        raise UnusableValueError(f"there is no parameter or option '{name}'", did_you_mean(name, values, _EXAMPLES))
    value = values[name]
    if value is None:
        raise UnusableValueError(f"'{name}' does not apply to this run", f"set {name}, or leave out {{{name}}}")
    return value


def _is_whole(value: str) -> bool:
    return re.fullmatch(r"-?[0-9]+", value) is not None and len(value) <= _DIGITS


def _is_decimal(value: str) -> bool:
    return re.fullmatch(r"-?[0-9]+\.[0-9]+", value) is not None and len(value) <= _DIGITS
