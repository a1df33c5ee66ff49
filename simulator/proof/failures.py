"""What cannot be read: an object as a whole, or one of its rows."""

from __future__ import annotations


class Unreadable(Exception):
    """The object cannot be read at all; the message says why. Rows read before that still count."""


class NotStorable(Exception):
    """A cell that keeps its row out of the table."""
