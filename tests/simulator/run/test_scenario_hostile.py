"""Scenarios made to do harm, or by mistake: one line says what cannot be used."""

from __future__ import annotations

import pytest

from simulator.base.errors import InputError
from simulator.run import scenario

LEVELS = "".join(f"b{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 10))
HOSTILE = {
    "aliases of aliases": (f"a: &a0 [x, x]\n{LEVELS}", "more than 100,000 values"),
    "an alias in itself": ("steps: &a [*a]", "contains itself"),
    "brackets": ("[" * 100_000, "more than 64 levels"),
    "a tag": ("steps: !!python/object:os.system x", "is not supported"),
    "two documents": ("title: t\n---\ntitle: t", "another document"),
    "nothing": ("", "it must be a mapping with a title"),
    "a list": ("[1]", "it must be a mapping with a title"),
    "a title that is a number": ("title: 5", "it must be a mapping with a title"),
    "10^9 repeats": ("title: t\nrepeat: 1000000000", "'repeat' is not known"),
    "the title twice": ("title: t\ntitle: t", "twice in one mapping"),
}
PARTS = {
    "parameters: [1]": "parameters must be a mapping",
    "parameters: {A: [1]}": "parameter A must be a text or a number",
    'parameters: {A: "\\ud800"}': "cannot be used",
    "options: [1]": "options must be a mapping",
    "options: {ticks: 1.5}": "must be of type int",
    "options: {ticks: true}": "must be of type int",
    "options: {ticks: -1}": "option ticks is out of range: -1",
    "options: {ticks: 0}": "option ticks is out of range: 0",
    "options: {speed: .inf}": "option speed is out of range: inf",
    "options: {speed: .nan}": "option speed is out of range: nan",
    "options: {speed: 0}": "option speed is out of range: 0.0",
    "options: {duration: -5}": "option duration is out of range: -5.0",
    "options: {duration: 1e400s}": "not a number of seconds",
    "options: {duration: 99999d}": "not a number of seconds",
    f"options: {{duration: {'9' * 400}h}}": "not a number of seconds",
    "options: {duration: [1]}": "must be of type float",
    "options: {drain_timeout: .nan}": "option drain_timeout is out of range: nan",
    "options: {seed: 1.0}": "must be of type int",
    f"options: {{seed: {'9' * 5_000}}}": "more than 100 characters",
    "options: {runtime: {a: b}}": "must be inline or process",
    "options: {? [a] : b}": "a key must be text",
    "bounds: 5": "bounds must be a list",
    "bounds: [rejected<1e400]": "rejected is a bare number",
    f"bounds: [{'rejected<1' * 10_000}]": "is not a bound",
    "steps: 5": "steps must be a list",
    "steps: ~": "steps must be a list",
    "steps: [{at: -1}]": "not a number of seconds",
    "steps: [{at: .inf}]": "not a number of seconds",
    "steps: [{at: .nan}]": "not a number of seconds",
    "steps: [{at: ~}]": "not a number of seconds",
    "steps: [{at: [1]}]": "not a number of seconds",
    "steps: [{when: queue.visible >= nan}]": "is not a figure, an operator and a number",
    f"steps: [{{when: queue.visible >= {'9' * 400}}}]": "is too large",
    f"steps: [{{when: 'x{' ' * 200_000}y'}}]": "more than 1000 characters",
    "steps: [{when: __class__.__init__ >= 1}]": "there is no figure",
    "steps: [{when: queue.__class__ >= 1}]": "there is no figure",
    "steps: [{caption: {a: b}}]": "caption must be text",
    "steps: [{put: 5}]": "put needs key and text",
    "steps: [{put: {key: '', text: ''}}]": "between 1 and 1024 bytes",
    f"steps: [{{put: {{key: {'é' * 513}, text: ''}}}}]": "between 1 and 1024 bytes",
    "steps: [{put: {key: [a], text: x}}]": "put: key must be text",
    "steps: [{put: {key: a, text: {a: b}}}]": "put: text must be text",
    "steps: [{refuse_writes: {share: .nan, for: 1}}]": "share must be between 0 and 1",
    "steps: [{refuse_writes: {share: true, for: 1}}]": "share must be between 0 and 1",
    "steps: [{refuse_writes: {share: 1, for: .inf}}]": "not a number of seconds",
    "steps: [{faults: {s3-slow: .nan, for: 1}}]": "'nan' is not a share",
    "steps: [{faults: {s3-slow: true, for: 1}}]": "'True' is not a share",
    "steps: [{faults: {s3-slow: [1], for: 1}}]": "'[1]' is not a share",
    "steps: [{faults: {refuse_writes: 1, for: 1}}]": "there is no fault 'refuse_writes'",
    "steps: [{faults: {s3-slow: 1, for: .inf}}]": "not a number of seconds",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_scenario_is_one_line(case: str) -> None:
    """In bounded time and memory."""
    text, said = HOSTILE[case]
    with pytest.raises(InputError) as refused:
        scenario.parse(text, "x", "x.yaml")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part[:40])
def test_a_hostile_part_of_a_scenario_is_one_line(part: str) -> None:
    """Each place, with what does not belong there."""
    with pytest.raises(InputError) as refused:
        scenario.parse(f"title: t\n{part}", "x", "x.yaml")
    assert PARTS[part] in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_longest_key_is_taken() -> None:
    """1,024 bytes, as S3 has it."""
    (step,) = scenario.parse(f"title: t\nsteps: [{{put: {{key: {'é' * 512}, text: 1}}}}]", "x", "x.yaml").steps
    assert step.puts == (scenario.Put("é" * 512, "1"),)
