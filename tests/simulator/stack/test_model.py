"""Questions that the typed stack answers."""

from __future__ import annotations

import pytest

from simulator.stack.model import prefix_in_force


@pytest.mark.parametrize(
    ("variables", "prefix"),
    [
        ({}, "rejected/"),
        ({"REJECTED_PREFIX": ""}, "rejected/"),
        ({"REJECTED_PREFIX": "no/", "KEY_PREFIX": "a/"}, "no/"),
    ],
)
def test_a_prefix_is_the_handlers_own_or_its_default(variables: dict[str, str], prefix: str) -> None:
    """An unset variable and an empty one mean the same, as in the handlers."""
    assert prefix_in_force(variables, "REJECTED_PREFIX") == prefix
