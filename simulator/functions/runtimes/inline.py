"""Environments inside the simulator's own process: fast, and up to a thousand of them.

A handler with an asynchronous core (`handler.open_environment`) runs on the simulator's loop. A plain synchronous one
runs in its own thread with its own copy of the module, so that module state is per environment as on AWS; `imports.py`
keeps folders of code apart. `process.py` covers what a shared process cannot do: a kill at the deadline, memory,
`os._exit`, a private `/tmp`, a working directory, the freeze.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

from simulator.base import limits
from simulator.base.clients import offline_session
from simulator.base.clock import Clock
from simulator.base.workers import Worker, WorkerFactory
from simulator.functions.runtimes import (
    RUNTIME_MODULES,
    Answer,
    Code,
    Exited,
    Invocation,
    Raised,
    Write,
    imports,
    isolation,
    reports,
)
from simulator.functions.runtimes.imports import CodeModules
from simulator.functions.runtimes.isolation import installed, seen_as
from simulator.functions.runtimes.variables import function_environ
from simulator.stack.model import Function

Handler = Callable[[Any, Any], Any]
_IMPORTS = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>", importlib.__file__)
_OWN_FILES = (__file__, imports.__file__, *_IMPORTS)
_TASK_ROOT = "/var/task"
_importing = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Setting:
    """What an environment is made of, unchanged for its whole life."""

    function: Function
    environ: dict[str, str]
    write: Write
    clock: Clock
    code: Code | None

    def report(self, error: BaseException, request_id: str = "") -> Raised | Exited:
        """The value for an exception from the handler or its init; an `Exception` is logged as AWS logs it."""
        if not isinstance(error, Exception):
            return reports.exited(error)
        own = error.report if isinstance(error, _LoadError) else None
        try:
            raised = own or reports.raised(error, request_id, skip_files=_OWN_FILES)
        except Exception as unreadable:  # noqa: BLE001 - its `__str__` is the handler's, too, and ends AWS's client
            return reports.exited(unreadable)
        for line in reports.error_lines(raised, self.clock.now(), as_json=self.function.log_format == "JSON"):
            self.write(line)
        return raised


class LambdaContext:
    """The context object of a handler, as AWS's Python runtime client builds it (awslambdaric, `lambda_context.py`).

    Names come from the function's variables; memory is a string on AWS, too.
    """

    def __init__(self, invocation: Invocation, setting: _Setting) -> None:
        environ = setting.environ
        self.aws_request_id = invocation.request_id
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = setting.function.arn
        self.tenant_id: str | None = None
        self.client_context: Any = None
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self._deadline_at = invocation.deadline_at
        self._clock = setting.clock

    def __repr__(self) -> str:
        return f"LambdaContext([aws_request_id={self.aws_request_id},function_name={self.function_name}])"

    def get_remaining_time_in_millis(self) -> int:
        """The time until the function's timeout; never below zero."""
        return max(0, int((self._deadline_at - self._clock.now()) * 1000))

    def log(self, message: object) -> None:
        """Write to the log stream without a newline, as the runtime client does."""
        sys.stdout.write(str(message))


class InlineRuntime:
    """Environments in this process. `endpoint` is the store's; `session` may be shared with others.

    `code` has the functions, by logical id, that do not run from this installation. What pip installed for them is
    searched after the installed packages, so that it never replaces what the simulator itself runs on. `workers` makes
    the threads of plain handlers.
    """

    def __init__(
        self,
        endpoint: str,
        session: Any = None,
        *,
        clock: Clock,
        code: Mapping[str, Code] = {},
        workers: WorkerFactory = Worker,
    ) -> None:
        self._endpoint, self._clock, self._code, self.workers = endpoint, clock, code, workers
        self.session = session if session is not None else offline_session()
        self._packages = list(dict.fromkeys(str(folder) for each in code.values() for folder in each.packages))
        sys.path.extend(self._packages)
        for name in RUNTIME_MODULES if code else ():
            importlib.import_module(name)  # before the code, which may have brought some of another version
        # Each handler's core by its folder and name, or None for a plain handler. The first loads happen one at a time.
        self.cores: dict[tuple[str, str], Any] = {}
        self.first_load = asyncio.Lock()

    def environment(self, function: Function, number: int, log_stream: str, write: Write) -> InlineEnvironment:
        """A new environment, not started."""
        del number
        code = self._code.get(function.logical_id)
        task_root = str(code.root) if code else _TASK_ROOT
        environ = function_environ(function, self._endpoint, log_stream, task_root=task_root)
        return InlineEnvironment(_Setting(function, environ, write, self._clock, code), self)

    async def close(self) -> None:
        """Stop searching what pip installed."""
        for folder in self._packages:
            with contextlib.suppress(ValueError):
                sys.path.remove(folder)


class InlineEnvironment:
    """One environment: the core's own task, or the handler's own thread."""

    memory_used_mb = None

    def __init__(self, setting: _Setting, runtime: InlineRuntime) -> None:
        self._setting, self._runtime = setting, runtime
        self._key = setting.environ["LAMBDA_TASK_ROOT"], setting.function.handler
        self._running: _Core | _HandlerThread | None = None

    async def start(self) -> Raised | Exited | None:
        """Load the handler: open its core, or run a plain handler's module in its thread."""
        async with self._runtime.first_load:
            if self._key not in self._runtime.cores:
                failure = await self._load()
                if failure is not None or self._running is not None:
                    return failure
        core = self._runtime.cores[self._key]
        if core is None:
            return await self._load()
        opening = self._running = _Core(self._setting, core, self._runtime.session)
        return await opening.opened()

    async def _load(self) -> Raised | Exited | None:
        """Run the handler's module in a thread, which is kept if the handler is a plain one."""
        thread = _HandlerThread(self._setting, self._runtime.workers(self._setting.function.name))
        try:
            loaded = await thread.call(lambda: _load(self._setting.function.handler, fresh=self._setting.code is None))
            if isinstance(loaded, Raised | Exited):
                return loaded
            core = self._runtime.cores[self._key] = getattr(loaded, "open_environment", None)
            if core is None:
                thread.handler, self._running = loaded, thread
            return None
        finally:
            if self._running is not thread:
                await thread.close()

    async def invoke(self, invocation: Invocation) -> Answer:
        """Run one event on the loop or in the thread."""
        if self._running is None:
            raise RuntimeError("the environment was not started")
        return await self._running.invoke(invocation)

    async def kill(self) -> None:
        """Close the core with its resources. A thread cannot be stopped: it runs on, and its output is ignored."""
        running, self._running = self._running, None
        if running is not None:
            await running.close()

    close = kill


class _Core:
    """A handler's open asynchronous core. One task enters and leaves its context, as such contexts require."""

    def __init__(self, setting: _Setting, core: Any, session: Any) -> None:
        self._setting = setting
        self._handle: Callable[[Any, Any], Awaitable[Any]]
        self._closing = asyncio.Event()
        self._ready: asyncio.Future[Raised | Exited | None] = asyncio.get_running_loop().create_future()
        self._owner = asyncio.create_task(self._own(core, session))

    async def opened(self) -> Raised | Exited | None:
        try:
            return await self._ready
        except BaseException:
            await self.close()
            raise

    async def _own(self, core: Any, session: Any) -> None:
        try:
            async with core(self._setting.environ, session, self._setting.write) as self._handle:
                if not self._ready.done():
                    self._ready.set_result(None)
                await self._closing.wait()
        except BaseException as error:
            # SystemExit, too, comes from the handler, and must not end the simulator.
            if isinstance(error, asyncio.CancelledError) and self._closing.is_set():
                raise
            failure = self._setting.report(error)
            if not self._ready.done():
                self._ready.set_result(failure)

    async def invoke(self, invocation: Invocation) -> Answer:
        try:
            result = await self._handle(invocation.event, LambdaContext(invocation, self._setting))
        except BaseException as error:
            # SystemExit would end the simulator's loop, not the environment.
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            return self._setting.report(error, invocation.request_id)
        return reports.marshalled(result, invocation.request_id)

    async def close(self) -> None:
        self._closing.set()
        await asyncio.wait((self._owner,), timeout=limits.HANDLER_GRACE_S)
        if not self._owner.done():
            self._owner.cancel()
            await asyncio.wait((self._owner,), timeout=limits.HANDLER_GRACE_S)


class _HandlerThread:
    """A plain handler's thread: module, thread-local state and events stay in one, as in a Lambda environment."""

    def __init__(self, setting: _Setting, worker: Worker) -> None:
        self.handler: Handler
        self._worker = worker
        self._setting = replace(setting, write=partial(worker.post, setting.write))
        self._inside = contextlib.ExitStack()
        self._end_line: Callable[[], None] | None = None

    async def call(self, call: Callable[[], Any], request_id: str = "") -> Any:
        """The call's result; `Raised` or `Exited` for what it raises."""
        return await self._worker.run(partial(self._reported, call, request_id))

    async def invoke(self, invocation: Invocation) -> Answer:
        """Call the handler with one event."""
        handler, context = self.handler, LambdaContext(invocation, self._setting)
        self._setting.environ["_X_AMZN_TRACE_ID"] = invocation.trace_id
        result = await self.call(lambda: handler(invocation.event, context), invocation.request_id)
        return result if isinstance(result, Raised | Exited) else reports.marshalled(result, invocation.request_id)

    async def close(self) -> None:
        """Make no more calls; output that a running call still prints is ignored."""
        self._worker.close(self._inside.close)

    def _reported(self, call: Callable[[], Any], request_id: str) -> Any:
        end_line = self._end_line = self._end_line or self._entered()
        token = isolation.request_id.set(request_id)
        try:
            return call()
        except BaseException as error:  # noqa: BLE001 - sys.exit() ends the environment, not this thread
            return self._setting.report(error, request_id)
        finally:
            isolation.request_id.reset(token)
            end_line()

    def _entered(self) -> Callable[[], None]:
        """Enter, with the first call, what is around all of them, and is left by the last."""
        code, enter = self._setting.code, self._inside.enter_context
        enter(installed())
        if code is not None:
            enter(CodeModules(code).seen())
        return enter(seen_as(self._setting.environ, self._setting.write))


class _LoadError(Exception):
    """The handler cannot be loaded; carries the runtime client's report."""

    def __init__(self, error_type: str, message: str, stack_trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.report = reports.fault(error_type, message, "", stack_trace)


def _load(name: str, *, fresh: bool) -> Handler:
    """The handler in a new instance of its module; errors are named as in the runtime client."""
    module_name, dot, attribute = name.rpartition(".")
    if not dot:
        message = f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)"
        raise _LoadError("Runtime.MalformedHandlerName", message)
    try:
        module = (_fresh_module if fresh else importlib.import_module)(module_name.replace("/", "."))
    except SyntaxError as error:
        where = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        message = f"Syntax error in module '{module_name}': {error}"
        raise _LoadError("Runtime.UserCodeSyntaxError", message, where) from None
    except ImportError as error:
        raise _LoadError("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from None
    try:
        handler: Handler = getattr(module, attribute)
    except AttributeError:
        message = f"Handler '{attribute}' missing on module '{module_name}'"
        raise _LoadError("Runtime.HandlerNotFound", message) from None
    return handler


def _fresh_module(name: str) -> ModuleType:
    """A new module object, registered under its name while it executes (dataclasses look their module up by name)."""
    with _importing:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            raise ImportError(f"No module named '{name}'")
        module = importlib.util.module_from_spec(spec)
        before = sys.modules.get(name)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        finally:
            if before is not None:
                sys.modules[name] = before
        return module
