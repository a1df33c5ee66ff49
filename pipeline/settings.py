"""A function's settings: environment variables -> checked values. An error names the setting in one line."""

from __future__ import annotations

from collections.abc import Mapping

PREFIXES = {"KEY_PREFIX": "stocks/", "REJECTED_PREFIX": "rejected/"}
"""Where in the bucket objects and rejected rows are, unless these settings say otherwise."""


class SettingsError(Exception):
    """A setting is missing or malformed; the message names it and says what it should be."""


def text_setting(environ: Mapping[str, str], name: str) -> str | None:
    """The setting's text; None if unset or empty, which mean the same."""
    return environ.get(name) or None


def required_setting(environ: Mapping[str, str], name: str) -> str:
    """The setting's text. Raises `SettingsError` if there is none."""
    text = text_setting(environ, name)
    if text is None:
        raise SettingsError(f"{name} is not set; the function requires it")
    return text


def integer_setting(environ: Mapping[str, str], name: str, default: int, minimum: int, maximum: int) -> int:
    """The setting as a whole number within the bounds, both included. Raises `SettingsError`."""
    text = text_setting(environ, name)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        raise SettingsError(f"{name}={text!r} is not a whole number") from None
    if not minimum <= value <= maximum:
        raise SettingsError(f"{name}={value} is not between {minimum} and {maximum}")
    return value


def prefix_setting(environ: Mapping[str, str], name: str) -> str:
    """One of `PREFIXES`, the beginning of object keys. Raises `SettingsError` for one that S3 would refuse in a key."""
    prefix = text_setting(environ, name) or PREFIXES[name]
    if prefix.startswith("/") or len(prefix.encode()) > 512:
        raise SettingsError(f"{name}={prefix!r} must not begin with '/' nor exceed 512 bytes")
    return prefix


def choice_setting(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """The setting as one of `choices`, the first being the default. Raises `SettingsError`."""
    text = text_setting(environ, name) or choices[0]
    if text not in choices:
        raise SettingsError(f"{name}={text!r} is not one of {', '.join(choices)}")
    return text
