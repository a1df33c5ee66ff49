"""An environment in a process of its own, under AWS's runtime client (`awslambdaric`): as close to Lambda as possible.

A Runtime API server (`runtime_api.py`) drives each process. The process sees only its function's variables, is stopped
between invocations (SIGSTOP), and is killed at the deadline or when it exceeds the function's memory. This works on
Linux only: the client has no wheel for other systems, and memory is read from /proc.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import importlib.util
import os
import shutil
import signal
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path

from simulator.base import limits
from simulator.base.children import IMPORT_ROOT, ChildProcess
from simulator.base.clock import Clock
from simulator.base.errors import InputError
from simulator.base.folders import OwnFolder
from simulator.functions.runtimes import (
    OUT_OF_MEMORY,
    RUNTIME_MODULES,
    Answer,
    Code,
    Exited,
    Invocation,
    Raised,
    Write,
)
from simulator.functions.runtimes.isolation import LineCutter
from simulator.functions.runtimes.runtime_api import RuntimeApi
from simulator.functions.runtimes.variables import function_environ
from simulator.stack.model import Function

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
# The runtime client and what it imports: everything that a built package does not contain itself.
_CLIENT_MODULES = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
_INSTALLED = Code(IMPORT_ROOT, packages=(Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("platlib"))))


class ProcessRuntime:
    """Environments in processes. `endpoint` is the store's.

    `code` has the functions, by logical id, that do not run from this installation. Their handlers see it, the standard
    library, the runtime client and boto3, nothing else; others see this installation's own packages. Raises
    `InputError` if the runtime client is not available.
    """

    def __init__(self, endpoint: str, code: Mapping[str, Code] = {}, *, clock: Clock) -> None:
        runtime_files = _runtime_files()
        self._endpoint, self._clock, self._code = endpoint, clock, code
        self._own = OwnFolder()
        self._folder = self._own.path
        try:
            self._runtime_dir = self._folder / "runtime"
            self._runtime_dir.mkdir()
            for origin in runtime_files:
                (self._runtime_dir / origin.name).symlink_to(origin)
        except BaseException:
            self._own.remove()
            raise
        self._busy: set[ProcessEnvironment] = set()
        self._some_busy = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None

    def environment(self, function: Function, number: int, log_stream: str, write: Write) -> ProcessEnvironment:
        """A new environment, without a process yet."""
        scratch = self._folder / f"tmp-{number}"
        code = self._code.get(function.logical_id, _INSTALLED)
        search = (code.root, *code.packages, *code.layers, self._runtime_dir)
        environ = function_environ(function, self._endpoint, log_stream, task_root=str(code.root)) | {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.pathsep.join(dict.fromkeys(map(str, search))),
            "TMPDIR": str(scratch),
        }
        return ProcessEnvironment(self, function, environ, scratch, write)

    async def close(self) -> None:
        """End the memory watch and remove the temporary folder."""
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
        self._own.remove()

    @contextlib.contextmanager
    def watching(self, environment: ProcessEnvironment) -> Iterator[None]:
        """Watch the environment's memory while the block runs."""
        self._busy.add(environment)
        self._some_busy.set()
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            self._busy.discard(environment)
            if not self._busy:
                self._some_busy.clear()

    async def _watch(self) -> None:
        while True:
            await self._some_busy.wait()
            await self._clock.sleep(limits.MEMORY_LOOK_S)
            for environment in tuple(self._busy):
                environment.check_memory()


class ProcessEnvironment:
    """One environment: a process, its Runtime API, and its scratch directory (`TMPDIR`, which outlives the process)."""

    def __init__(
        self, runtime: ProcessRuntime, function: Function, environ: dict[str, str], scratch: Path, write: Write
    ) -> None:
        self._runtime, self._function, self._environ = runtime, function, environ
        self._scratch, self._write = scratch, write
        self._api = RuntimeApi(function.arn)
        self._address: str | None = None
        self._child: ChildProcess | None = None
        self._output: _Output | None = None
        self._memory_file: int | None = None
        self._memory_bytes = 0
        self._over_memory = False
        self.clock_apart_s = 0.0

    @property
    def memory_used_mb(self) -> int | None:
        """The kernel's high-water mark of the process's resident memory; it starts anew with a new process."""
        return -(-self._memory_bytes // _MB) if self._memory_bytes else None

    @property
    def pid(self) -> int | None:
        """The process, while it lives."""
        return self._child.pid if self._child is not None and self._child.alive else None

    async def start(self) -> Raised | Exited | None:
        """Start a new process; it is ready when the runtime client asks for its first event."""
        await self.kill()
        if self._address is None:
            self._scratch.mkdir(exist_ok=True)
            self._address = await self._api.listen()
        ready = self._api.restart()
        self._over_memory, self._memory_bytes = False, 0
        output = self._output = _Output(self._write)
        command = (sys.executable, "-B", "-S", "-P", _BOOTSTRAP, str(os.getpid()), self._function.handler)
        streams = {"stdin": asyncio.subprocess.DEVNULL, "stdout": output.write_end, "stderr": output.write_end}
        at, environ = self._environ["LAMBDA_TASK_ROOT"], self._environ | {"AWS_LAMBDA_RUNTIME_API": self._address}
        if self.clock_apart_s:
            environ["STOCKPIPE_CLOCK_APART_S"] = repr(self.clock_apart_s)
        try:
            child = self._child = await ChildProcess.start(*command, cwd=at, env=environ, **streams)
        finally:
            self._output.started()
        # Kept open, because every invocation reads it.
        with contextlib.suppress(FileNotFoundError):  # it may have been killed already
            self._memory_file = os.open(f"/proc/{child.pid}/status", os.O_RDONLY | os.O_CLOEXEC)
        child.exit.add_done_callback(lambda _: self._ended(child))
        with self._runtime.watching(self):
            outcome = await ready
        if outcome is None:
            child.signal(signal.SIGSTOP)
        if isinstance(outcome, Raised):
            # The client exits once it has reported the error; its last lines come before that.
            await asyncio.wait((child.exit,), timeout=limits.HANDLER_GRACE_S)
        self._output.drain()
        return outcome

    async def invoke(self, invocation: Invocation) -> Answer:
        """Thaw the process, pass the event on, and wait until the client has answered and waits again."""
        if self.pid is None:
            # It exited after its last answer: Lambda would start it again.
            failure = await self.start()
            if failure is not None:
                return failure
        with self._runtime.watching(self):
            self._signal(signal.SIGCONT)
            answer = await self._api.give(invocation)
            # The client asks for the next event: freeze it until there is one.
            self._signal(signal.SIGSTOP)
        if self._output is not None:
            self._output.end_line()
        if self.check_memory() and not isinstance(answer, Exited):
            return OUT_OF_MEMORY
        return answer

    async def kill(self) -> None:
        """Send SIGKILL to the process and everything it started."""
        if self._child is not None:
            self._measure()
            await self._child.end()
            self._child = None
        if self._memory_file is not None:
            os.close(self._memory_file)
            self._memory_file = None
        if self._output is not None:
            self._output.close()
            self._output = None

    async def close(self) -> None:
        """Kill it, stop serving, and remove the scratch directory. Lambda gives a function no time either."""
        await self.kill()
        await self._api.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def check_memory(self) -> bool:
        """Kill the process if it has exceeded the function's memory; returns whether it has."""
        self._measure()
        if not self._over_memory and self._memory_bytes > self._function.memory_mb * _MB and self.pid:
            self._over_memory = True
            self._signal(signal.SIGKILL)
        return self._over_memory

    def _ended(self, child: ChildProcess) -> None:
        """The process has exited: pass on its last output, then the result."""
        if child is self._child and not child.exit.cancelled():
            if self._output is not None:
                self._output.drain()
            self._api.gone(OUT_OF_MEMORY if self._over_memory else _exited(child.exit.result()))

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None:
            self._child.signal(number)

    def _measure(self) -> None:
        """Read VmHWM from the open /proc/PID/status; it is missing once the process has exited."""
        if self._memory_file is not None:
            with contextlib.suppress(OSError):
                _, found, rest = os.pread(self._memory_file, 8192, 0).partition(b"VmHWM:")
                if found:
                    self._memory_bytes = max(self._memory_bytes, int(rest.split(None, 1)[0]) * 1024)


class _Output:
    """What the process prints, line by line. `drain` takes what is there now, so that it precedes REPORT."""

    def __init__(self, write: Write) -> None:
        self._lines = LineCutter(write)
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._open = True

    def started(self) -> None:
        """The process has its own end of the pipe now."""
        os.close(self.write_end)
        asyncio.get_running_loop().add_reader(self._read_end, self.drain)

    def drain(self) -> None:
        """Pass on every complete line written so far."""
        while self._open:
            try:
                data = os.read(self._read_end, 65_536)
            except BlockingIOError:
                return
            if not data:
                self.close()
                return
            # The client ends the lines of one message with a carriage return, which CloudWatch joins.
            self._lines.write(self._decoder.decode(data).replace("\r", "\n"))

    def end_line(self) -> None:
        """Pass on everything, including a last line that has no newline yet."""
        self.drain()
        self._lines.end()

    def close(self) -> None:
        """Close the pipe; an unfinished line is passed on too."""
        if not self._open:
            return
        self._open = False
        asyncio.get_running_loop().remove_reader(self._read_end)
        os.close(self._read_end)
        self._lines.end()


_MB = 1024 * 1024


def _exited(returncode: int) -> Exited:
    """The exit of the process in Lambda's words."""
    if returncode < 0:
        description = signal.strsignal(-returncode) or f"signal {-returncode}"
        return Exited(f"signal: {description.lower()}")
    return Exited(f"exit status {returncode}" if returncode else "")


def _runtime_files() -> list[Path]:
    """The packages and modules of Lambda's own runtime, as files of this installation. Raises `InputError`."""
    needs = "--runtime process needs AWS's runtime client awslambdaric"
    if not sys.platform.startswith("linux"):
        raise InputError(f"{needs}, which exists only for Linux", hint="use --runtime inline")
    files = []
    for name in (*_CLIENT_MODULES, *RUNTIME_MODULES):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise InputError(needs, hint="pip install awslambdaric")
        origin = Path(spec.origin)
        files.append(origin.parent if spec.submodule_search_locations else origin)
    return files
