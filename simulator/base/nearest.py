"""Guesses which name the user meant. Pure.

Every "did you mean" comes from here: for commands, options, choices, parameters, scenarios, figures and file keys.
"""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 64
"""The longest name to compare; a longer one is not a typing error of a known name."""
FEW = 8
"""The most names that an error lists; more would hide what is wrong."""
_ALIKE, _SHORT_ALIKE = 0.6, 0.66
"""The least similarity of two names; more for names of up to four characters, which are often alike by chance."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that the user most likely meant; None if none is similar.

    Case, `-`, `_` and blanks do not count. A name that begins with what was written is similar as well.
    """
    import difflib  # only errors need it

    wanted = _folded(name)
    names = {_folded(each): each for each in known}
    if not wanted or len(wanted) > LONGEST:
        return None
    alike = _ALIKE if len(wanted) > 4 else _SHORT_ALIKE
    if found := difflib.get_close_matches(wanted, names, 1, alike):
        return names[found[0]]
    longer = [folded for folded in names if len(wanted) > 2 and folded.startswith(wanted)]
    return names[min(longer, key=len)] if longer else None


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """A hint: the nearest name if there is one, else all names if they are few, else `otherwise`."""
    names = list(known)
    if found := nearest(name, names):
        return f"did you mean '{found}'?"
    return f"choose from {listed(names)}" if len(names) <= FEW and names else otherwise


def listed(names: Iterable[str]) -> str:
    """Names in quotes, with "or" before the last."""
    quoted = [f"'{name}'" for name in names]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}" if len(quoted) > 1 else "".join(quoted)


def _folded(name: str) -> str:
    return name.strip().lower().replace("-", "").replace("_", "").replace(" ", "")
