"""Who makes a call: each execution environment signs with a session token of its own, which names it."""

from __future__ import annotations

from typing import NamedTuple

_BEGINNING = "stockpipe-session"


class Principal(NamedTuple):
    """A function (logical id) and the environment of it; both empty for everybody else."""

    function: str = ""
    environment: str = ""


def session_token(function: str, environment: str) -> str:
    """The token of an environment's temporary credentials; `environment` is any text that identifies it."""
    return f"{_BEGINNING}/{function}/{environment}"


def principal_of(token: str) -> Principal:
    """Whose token it is."""
    beginning, _, rest = token.partition("/")
    function, _, environment = rest.partition("/")
    return Principal(function, environment) if beginning == _BEGINNING else NOBODY


NOBODY = Principal()
