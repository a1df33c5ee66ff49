"""Chance in the handlers: named streams, and a seed that no two environments share."""

from __future__ import annotations

from pipeline.chance import environment_seed, stream


def test_a_stream_is_its_seed_its_name_and_its_number():
    """The same three give the same numbers; changing any one gives others."""
    first = stream("seed", "name", 1).random()

    assert stream("seed", "name", 1).random() == first
    assert (
        len({first, *(stream(*other).random() for other in (("s", "name", 1), ("seed", "n", 1), ("seed", "name")))})
        == 4
    )


def test_an_environments_seed_is_its_log_streams_name():
    """Lambda gives each environment a log stream; without one, two environments still have different seeds."""
    assert environment_seed({"AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/27/[$LATEST]4f"}) == "2026/11/27/[$LATEST]4f"
    assert environment_seed({}) != environment_seed({})
