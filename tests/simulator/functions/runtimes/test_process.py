"""What only a process of its own can show: kills, memory, exits, scratch space, the freeze, the state machine."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from fakes import declare
from fakes.waiting import until
from simulator.base.clock import SystemClock
from simulator.base.errors import InputError
from simulator.base.observations import InvocationEnded
from simulator.functions.runtimes import Code, Invocation, Raised, Returned
from simulator.functions.runtimes.process import ProcessRuntime
from simulator.functions.runtimes.runtime_api import RuntimeApi
from simulator.functions.service import Failed

Open = Callable[..., Any]
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="awslambdaric has no wheel here")
STATE = """
    import os
    def handler(event, context):
        return os.getpid()
"""


def state_of(pid: int) -> str:
    """The kernel's letter for the process: R running, S sleeping, T stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def cpu_ticks(pid: int) -> int:
    """The processor time that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def open_files() -> int:
    """How many open files this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))


def exists(path: Any) -> bool:
    """Whether there is such a file or directory."""
    return Path(path).exists()


def alive(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        return state_of(pid) != "Z"
    except OSError:
        return False


async def test_deadline_kills_what_never_yields(open_function: Open) -> None:
    """A handler that computes endlessly is killed, with the processes that it started."""
    source = """
        import os, subprocess
        def handler(event, context):
            child = subprocess.Popen(["sleep", "600"])
            print("pids", os.getpid(), child.pid, flush=True)
            while True:
                pass
    """
    async with open_function("process", source) as function:
        result = await function.time_out("hang", "pids")
        assert isinstance(result, Failed)
        assert result.error_type == "Sandbox.Timedout"
        (line,) = [each for each in function.recorded.lines() if each.startswith("pids")]
        handler, child = map(int, line.split()[1:])
        await until(lambda: not alive(handler) and not alive(child))


async def test_memory_beyond_the_functions_size_kills(open_function: Open) -> None:
    """A process that grows beyond the function's memory is killed; the next event gets a new one."""
    source = """
        def handler(event, context):
            kept = bytearray(event * 1024 * 1024)
            for position in range(0, len(kept), 4096):
                kept[position] = 1
            return len(kept)
    """
    async with open_function("process", source, memory_mb=128) as function:
        result = await function.invoke(300)
        assert isinstance(result, Failed)
        assert (result.outcome, result.error_type) == ("crash", "Runtime.OutOfMemory")
        assert result.message.endswith("Error: Runtime exited with error: signal: killed")
        assert await function.invoke(1) == Returned(1024 * 1024)


async def test_memory_used_is_measured(open_function: Open) -> None:
    """REPORT gives the most memory that the process has used."""
    source = """
        def handler(event, context):
            kept = b"x" * (event * 1024 * 1024)
    """
    async with open_function("process", source, memory_mb=512) as function:
        await function.invoke(0)
        await function.invoke(100)
        await function.invoke(0)
    small, large, after = [each.memory_used_mb for each in function.recorded.of(InvocationEnded)]
    assert large - small == pytest.approx(100, abs=10)
    assert after == large
    assert f"Max Memory Used: {large} MB" in function.recorded.lines()[-1]


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("os._exit(7)", "Runtime exited with error: exit status 7"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "Runtime exited with error: signal: segmentation fault"),
    ],
)
async def test_process_that_ends(open_function: Open, statement: str, text: str) -> None:
    """However the process ends during an event, the caller gets the result in Lambda's words."""
    source = f"""
        import os, signal
        def handler(event, context):
            {statement}
    """
    async with open_function("process", source) as function:
        result = await function.invoke()
    assert isinstance(result, Failed)
    assert result.payload["errorType"] == "Runtime.ExitError"
    assert result.payload["errorMessage"].endswith(f"Error: {text}")


async def test_scratch_space_outlives_a_crash(open_function: Open) -> None:
    """What a handler keeps in its temporary directory survives a crash, and is gone with the environment."""
    source = """
        import os, tempfile
        def handler(event, context):
            path = os.path.join(tempfile.gettempdir(), "kept")
            if event == "write":
                open(path, "w").write("here")
                os._exit(1)
            return [path, open(path).read()]
    """
    async with open_function("process", source) as function:
        await function.invoke("write")
        path, text = (await function.invoke("read")).payload
        assert text == "here"
    assert not exists(path)


async def test_frozen_between_invocations(open_function: Open) -> None:
    """Between two events the process is stopped with all its threads, and uses no time; an event thaws it."""
    source = """
        import os, threading, time
        ticks = 0
        def tick():
            global ticks
            while True:
                ticks += 1
                time.sleep(0.001)
        threading.Thread(target=tick, daemon=True).start()
        def handler(event, context):
            return [os.getpid(), ticks]
    """
    async with open_function("process", source) as function:
        pid, _ = (await function.invoke()).payload
        await until(lambda: state_of(pid) == "T")
        cpu = cpu_ticks(pid)
        await function.invoke()
        await until(lambda: state_of(pid) == "T")
        before = cpu_ticks(pid)
        assert before >= cpu
        for _ in range(50):
            await asyncio.sleep(0)
        assert cpu_ticks(pid) == before


async def test_nothing_is_left_running(open_function: Open, tmp_path: Path) -> None:
    """When the service ends, every process ends, including frozen ones."""
    async with open_function("process", STATE) as function:
        pids = [result.payload for result in await asyncio.gather(*(function.invoke() for _ in range(3)))]
        assert all(map(alive, pids))
        folder = function.runtime._folder
    assert not any(map(alive, pids))
    assert not exists(folder)


async def test_a_process_that_cannot_be_started_leaves_no_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may refuse another process: what was opened for it is closed with its environment."""

    async def refused(*_: Any, **__: Any) -> Any:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr("simulator.functions.runtimes.process.ChildProcess.start", refused)
    before = open_files()
    runtime = ProcessRuntime("http://127.0.0.1:9", {"F": Code(tmp_path)}, clock=SystemClock())
    environment = runtime.environment(declare.function("F"), 0, "stream", print)
    with pytest.raises(BlockingIOError):
        await environment.start()
    await environment.close()
    await runtime.close()
    assert open_files() == before


async def test_environments_die_with_the_simulator(tmp_path: Path) -> None:
    """Even a simulator that is killed leaves no environment behind, frozen or during an event."""
    (tmp_path / "module.py").write_text(
        "import os, time\ndef handler(event, context):\n    print(os.getpid())\n    time.sleep(event)\n"
    )
    script = tmp_path / "simulate.py"
    script.write_text(
        "import asyncio, pathlib, sys\n"
        "from simulator.base.clock import SystemClock\n"
        "from simulator.functions.runtimes import Code, Invocation\n"
        "from simulator.functions.runtimes.process import ProcessRuntime\n"
        "from simulator.stack.model import AsynchronousInvocation, Function\n"
        "async def main():\n"
        "    function = Function('F', 'F', 'module.handler', 'python3.13', 512, 3, {}, None, 'Text', None,\n"
        "                        AsynchronousInvocation(), 'arn')\n"
        "    code = {'F': Code(pathlib.Path(sys.argv[1]))}\n"
        "    runtime = ProcessRuntime('http://127.0.0.1:9', code, clock=SystemClock())\n"
        "    for seconds in (0, 600):\n"
        "        environment = runtime.environment(function, seconds, 'stream', lambda line: print(line, flush=True))\n"
        "        await environment.start()\n"
        "        await environment.invoke(Invocation('id', seconds, 9e9, 'trace'))\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[4]), "TMPDIR": str(tmp_path)},
    )
    assert process.stdout is not None
    frozen, busy = [int(await process.stdout.readline()) for _ in range(2)]
    assert alive(frozen)
    assert alive(busy)
    process.kill()
    await process.wait()
    await until(lambda: not alive(frozen) and not alive(busy))
    await process.stdout.read()


async def test_only_the_code_directory_is_seen(open_function: Open) -> None:
    """A package of this installation that the code directory lacks cannot be imported, as on Lambda."""
    source = """
        def handler(event, context):
            try:
                import moto
            except ImportError as error:
                return str(error)
    """
    async with open_function("process", source) as function:
        assert await function.invoke() == Returned("No module named 'moto'")


async def test_boto3_is_there(open_function: Open) -> None:
    """A function without requirements finds Lambda's boto3, and all that it needs."""
    source = """
        import boto3
        client = boto3.client("sqs")
        def handler(event, context):
            return client.meta.endpoint_url
    """
    async with open_function("process", source) as function:
        assert await function.invoke() == Returned("http://127.0.0.1:9")


async def test_limit_of_open_files(open_function: Open) -> None:
    """A process has at most Lambda's 1,024 file descriptors."""
    source = """
        import resource
        def handler(event, context):
            return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    """
    async with open_function("process", source) as function:
        assert (await function.invoke()).payload <= 1024


async def test_process_that_dies_while_idle(open_function: Open) -> None:
    """A frozen process that is killed from outside is replaced for the next event."""
    async with open_function("process", STATE) as function:
        first = (await function.invoke()).payload
        os.kill(first, signal.SIGKILL)
        await until(lambda: not exists(f"/proc/{first}"))
        second = (await function.invoke()).payload
        assert alive(second)
        assert second != first


def test_other_systems_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """If there is no wheel, the option says so, and what to do."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(InputError, match="only for Linux; use --runtime inline"):
        ProcessRuntime("http://127.0.0.1:9", clock=SystemClock())


class Client:
    """A runtime's calls, made by hand."""

    def __init__(self, api: RuntimeApi, address: str, http: aiohttp.ClientSession) -> None:
        self.api, self._base, self._http = api, f"http://{address}/2018-06-01/runtime", http

    async def get_next(self) -> tuple[int, dict[str, str], Any]:
        """GET /next: status, headers, body."""
        async with self._http.get(f"{self._base}/invocation/next") as answer:
            return answer.status, dict(answer.headers), await answer.json()

    async def post(self, path: str, body: Any = b"{}", **headers: str) -> tuple[int, Any]:
        """POST: status, body."""
        async with self._http.post(
            f"{self._base}/{path}", data=body, headers={"Content-Type": "application/json"} | headers
        ) as answer:
            return answer.status, await answer.json()


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    """A Runtime API that listens, and a client for it."""
    api = RuntimeApi("arn:aws:lambda:us-east-1:123456789012:function:F")
    async with aiohttp.ClientSession() as http:
        yield Client(api, await api.listen(), http)
        await api.close()


async def given(client: Client, event: Any = None) -> tuple[asyncio.Future[Any], dict[str, str], Any]:
    """Bring the API to the state in which the runtime has an event."""
    ready = client.api.restart()
    asking = asyncio.create_task(client.get_next())
    assert await ready is None
    answer = client.api.give(Invocation("request-1", event or {"n": 1}, 1_763_802_000.5, "Root=1-2-3"))
    status, headers, body = await asking
    assert status == 200
    return answer, headers, body


async def ended(client: Client) -> None:
    """The runtime asks for its next event, which ends the previous one."""
    asking = asyncio.create_task(client.get_next())
    await until(lambda: client.api.state == "ready")
    await client.api.close()
    with contextlib.suppress(aiohttp.ClientError):
        await asking


async def test_next_has_the_headers(client: Client) -> None:
    """/next has the request id, the deadline in milliseconds, function and trace, and the event."""
    answer, headers, body = await given(client)
    assert body == {"n": 1}
    assert headers["Lambda-Runtime-Aws-Request-Id"] == "request-1"
    assert headers["Lambda-Runtime-Deadline-Ms"] == "1763802000500"
    assert headers["Lambda-Runtime-Invoked-Function-Arn"] == "arn:aws:lambda:us-east-1:123456789012:function:F"
    assert headers["Lambda-Runtime-Trace-Id"] == "Root=1-2-3"
    assert await client.post("invocation/request-1/response", b"[1]") == (202, {"status": "OK"})
    assert not answer.done()
    await ended(client)
    assert await answer == Returned([1])


async def test_error_report(client: Client) -> None:
    """An error comes from the body, with its type from the header if the body has none."""
    answer, _, _ = await given(client)
    headers = {"Lambda-Runtime-Function-Error-Type": "Function.Mine"}
    assert (await client.post("invocation/request-1/error", b'{"errorMessage": "no"}', **headers))[0] == 202
    await ended(client)
    assert await answer == Raised("Function.Mine", "no", {"errorMessage": "no", "errorType": "Function.Mine"})


async def test_init_error(client: Client) -> None:
    """An init error ends init, once."""
    body = json.dumps({"errorType": "Runtime.ImportModuleError", "errorMessage": "no"}).encode()
    ready = client.api.restart()
    assert (await client.post("init/error", body))[0] == 202
    report = await ready
    assert isinstance(report, Raised)
    assert report.error_type == "Runtime.ImportModuleError"
    assert (await client.post("init/error", body))[0] == 403
    assert (await client.get_next())[0] == 403


async def test_an_event_may_have_half_a_character(client: Client) -> None:
    """As JSON writes it; UTF-8 has no bytes for it."""
    _, _, body = await given(client, {"n": "\ud800\u00fc"})
    assert body == {"n": "\ud800\u00fc"}
    await client.post("invocation/request-1/response")
    await ended(client)


async def test_calls_out_of_turn(client: Client) -> None:
    """A second /next, an init error after init, a wrong id and a second response are refused as AWS refuses them."""
    answer, _, _ = await given(client)
    status, _, body = await client.get_next()
    assert (status, body["errorType"]) == (403, "InvalidStateTransition")
    assert (await client.post("init/error"))[0] == 403
    status, body = await client.post("invocation/request-2/response")
    assert (status, body["errorType"]) == (400, "InvalidRequestID")
    assert (await client.post("invocation/request-1/response"))[0] == 202
    assert (await client.post("invocation/request-1/response"))[0] == 400
    assert (await client.post("invocation/request-1/what"))[0] == 404
    await ended(client)
    assert await answer == Returned({})


async def test_response_over_the_limit(client: Client) -> None:
    """A response over 6 MB and 100 bytes gets a 413; the invocation has failed."""
    answer, _, _ = await given(client)
    body = io.BytesIO(b'"' + b"x" * (6 * 1024 * 1024 + 99) + b'"')
    status, _ = await client.post("invocation/request-1/response", body)
    assert status == 413
    await ended(client)
    failure = await answer
    assert isinstance(failure, Raised)
    assert failure.error_type == "Function.ResponseSizeTooLarge"


async def test_raw_requests(client: Client) -> None:
    """A request may come in pieces and ask before it sends; a body without its length is refused."""
    client.api.restart()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(client._base.rpartition(":")[2].partition("/")[0]))
    body = b'{"errorType": "Mine"}'
    start = "POST /2018-06-01/runtime/init/error HTTP/1.1\r\n"
    head = f"{start}Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    for piece in (head[:20], head[20:]):
        writer.write(piece.encode())
        await writer.drain()
        await asyncio.sleep(0)
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert (await reader.readline()).startswith(b"HTTP/1.1 202")
    writer.write(b"POST /2018-06-01/runtime/init/error HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert b"411" in await reader.read()
    writer.close()
