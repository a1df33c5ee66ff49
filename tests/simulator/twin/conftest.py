"""The pipeline's stack under unique names; small templates; a store whose clock can be set forward."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from fakes.recorder import Recorder
from fakes.templates import template
from simulator.base.children import IMPORT_ROOT
from simulator.base.clock import SystemClock
from simulator.functions.runtimes import Code, RuntimeName
from simulator.stack.model import Stack
from simulator.stack.template import load
from simulator.twin.surroundings import Machine
from simulator.twin.twin import Twin

LoadTemplate = Callable[..., Stack]
OpenTemplate = Callable[..., AbstractAsyncContextManager[Twin]]

ECHO = """
    import json, os

    def handler(event, context):
        print(json.dumps({"event": event}))
        left_s = context.get_remaining_time_in_millis() / 1000
        return {"environ": dict(os.environ), "name": context.function_name, "left_s": left_s}
"""

SHIFTED = """
import sys
from pathlib import Path
from simulator.base import clock

class Shifted(clock.SystemClock):
    def now(self):
        return super().now() + float(Path(sys.argv[1]).read_text() or 0)

clock.SystemClock = Shifted
from simulator.store.front.server import main
main(["--capacity", "aws"])
"""


@pytest.fixture
def fresh_stack() -> Callable[..., Stack]:
    """`fresh_stack(**parameters)`: the stack with these template parameters."""

    def make(**parameters: str) -> Stack:
        unique = uuid.uuid4().hex[:8]
        names = {name: f"{name}-{unique}" for name in ("QueueName", "DeadLetterQueueName", "TableName")}
        return load(None, {"BucketName": f"b-{unique}", **names, **parameters})

    return make


@pytest.fixture
def load_template(tmp_path: Path) -> LoadTemplate:
    """`load_template(code=ECHO, **sections)`: the stack of `fakes.templates.template`, under new names.

    Its function's handler is `handler` of `code`, in a module of this test's directory.
    """

    def made(code: str = ECHO, **sections: str) -> Stack:
        unique = uuid.uuid4().hex[:8]
        (tmp_path / f"handlers_{unique}.py").write_text(textwrap.dedent(code), encoding="utf-8")
        file = tmp_path / f"{unique}.yaml"
        file.write_text(template(unique, f"handlers_{unique}.handler", **sections), encoding="utf-8")
        return load(file)

    return made


@pytest.fixture
def open_template(load_template: LoadTemplate, store_endpoint: str, tmp_path: Path, recorded: Recorder) -> OpenTemplate:
    """`open_template(...)`: the same, running, in the session's store or at `endpoint`.

    Its queues are empty, and nothing polls yet.
    """

    @asynccontextmanager
    async def opened(
        code: str = ECHO, *, endpoint: str = store_endpoint, runtime: RuntimeName = "inline", **sections: str
    ) -> AsyncIterator[Twin]:
        stack = load_template(code, **sections)
        async with Twin.open(
            stack,
            Machine(clock=SystemClock(), runtime=runtime, endpoint_url=endpoint),
            record=recorded.append,
            seed=1,
            code={name: Code(tmp_path) for name in stack.functions},
        ) as twin:
            # The bucket has sent its test event.
            await twin.clients.sqs.purge_queue(QueueUrl=twin.resources.queue_url)
            yield twin

    return opened


@dataclass
class ShiftedStore:
    """A store with AWS's capacity and a clock that is ahead by the seconds in a file."""

    endpoint: str
    _ahead: Path
    _ahead_s: float = 0.0

    def set_forward(self, seconds: float) -> None:
        """Set the clock forward by this much."""
        self._ahead_s += seconds
        self._ahead.write_text(str(self._ahead_s))


@pytest.fixture(scope="module")
def shifted_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShiftedStore]:
    """One store for the tests of a module; it ends when its input does."""
    ahead = tmp_path_factory.mktemp("shifted") / "ahead"
    ahead.touch()
    with subprocess.Popen(
        [sys.executable, "-c", SHIFTED, str(ahead)],
        env={**os.environ, "PYTHONPATH": str(IMPORT_ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        said = process.stdout.readline()
        yield ShiftedStore(f"http://127.0.0.1:{json.loads(said[said.index('{') :])['port']}", ahead)
        process.stdin.close()
