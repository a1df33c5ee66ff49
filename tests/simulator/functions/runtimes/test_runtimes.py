"""What every runtime must do, inline or in a process: one suite for both."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.base.observations import EnvironmentStarted, InvocationEnded
from simulator.functions.runtimes import Returned
from simulator.functions.service import Failed

KINDS = [
    "inline",
    pytest.param(
        "process",
        marks=pytest.mark.skipif(not sys.platform.startswith("linux"), reason="awslambdaric has no wheel here"),
    ),
]
pytestmark = pytest.mark.parametrize("kind", KINDS)
Open = Callable[..., Any]


async def test_event_and_result(kind: str, open_function: Open) -> None:
    """The event arrives as it was sent and the result comes back as JSON."""
    source = """
        def handler(event, context):
            return {"got": event, "tuple": (1, 2)}
    """
    async with open_function(kind, source) as function:
        result = await function.invoke({"text": "ä€", "list": [1, None, 2.5]})
    assert result == Returned({"got": {"text": "ä€", "list": [1, None, 2.5]}, "tuple": [1, 2]})


async def test_module_state_is_kept(kind: str, open_function: Open) -> None:
    """The module runs once per environment; its state is kept from invocation to invocation."""
    source = """
        import os
        print("init")
        count = 0
        def handler(event, context):
            global count
            count += 1
            return count
    """
    async with open_function(kind, source) as function:
        assert [(await function.invoke()).payload for _ in range(3)] == [1, 2, 3]
    assert function.recorded.lines().count("init") == 1
    assert len(function.recorded.of(EnvironmentStarted)) == 1


async def test_module_state_is_per_environment(kind: str, open_function: Open) -> None:
    """Two environments that run at once do not share a module."""
    source = """
        events = []
        def handler(event, context):
            events.append(event)
            return events
    """
    async with open_function(kind, source) as function:
        results = await asyncio.gather(function.invoke("a"), function.invoke("b"))
    assert sorted(result.payload for result in results) == [["a"], ["b"]]


async def test_context(kind: str, open_function: Open) -> None:
    """The context has AWS's attributes, memory as text, and counts down to the timeout."""
    source = """
        def handler(event, context):
            return {name: getattr(context, name) for name in (
                "aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
                "function_version", "invoked_function_arn", "tenant_id", "client_context")
            } | {"left": context.get_remaining_time_in_millis(), "identity": context.identity.cognito_identity_id}
    """
    async with open_function(kind, source, timeout_s=50) as function:
        payload = (await function.invoke()).payload
    assert payload.pop("log_stream_name").endswith("[$LATEST]" + "0" * 32)
    assert 10_000 < payload.pop("left") <= 50_000
    assert payload == {
        "aws_request_id": function.recorded.of(InvocationEnded)[0].request_id,
        "log_group_name": "/aws/lambda/Consumer",
        "function_name": "Consumer",
        "memory_limit_in_mb": "512",
        "function_version": "$LATEST",
        "invoked_function_arn": "arn:aws:lambda:us-east-1:123456789012:function:Consumer",
        "tenant_id": None,
        "client_context": None,
        "identity": None,
    }


async def test_environment_is_scrubbed(kind: str, open_function: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler sees its variables, AWS's reserved ones and dummy credentials, and nothing of the user's."""
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMINE")
    monkeypatch.setenv("USER_SECRET", "mine")
    source = """
        import os
        from os import environ
        at_init = dict(os.environ)
        def handler(event, context):
            os.environ["WRITTEN"] = "by the handler"
            return {"init": at_init, "now": dict(environ), "get": os.getenv("USER_SECRET", "none")}
    """
    async with open_function(kind, source, environment={"TABLE_NAME": "StockData"}) as function:
        payload = (await function.invoke()).payload
    for environ in (payload["init"], payload["now"]):
        assert environ["TABLE_NAME"] == "StockData"
        assert environ["AWS_REGION"] == "us-east-1"
        assert environ["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
        assert environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
        assert environ["AWS_CONFIG_FILE"] == environ["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
        assert not {"AWS_PROFILE", "USER_SECRET", "HOME"} & environ.keys()
        assert "AKIAMINE" not in environ.values()
    assert payload["get"] == "none"
    assert payload["now"]["WRITTEN"] == "by the handler"
    assert "WRITTEN" not in os.environ
    assert os.environ["AWS_PROFILE"] == "mine"


async def test_exception(kind: str, open_function: Open) -> None:
    """An exception becomes the caller's payload with type, message, request id and the handler's own frames."""
    source = """
        def handler(event, context):
            raise ValueError("no such ticker")
    """
    async with open_function(kind, source) as function:
        result = await function.invoke()
        assert isinstance(result, Failed)
        assert (result.outcome, result.error_type, result.message) == ("error", "ValueError", "no such ticker")
        assert result.payload["requestId"] == function.recorded.of(InvocationEnded)[0].request_id
        (frame,) = result.payload["stackTrace"]
        assert 'raise ValueError("no such ticker")' in frame
        assert isinstance(await function.invoke(), Failed)
    assert len(function.recorded.of(EnvironmentStarted)) == 1
    assert "[ERROR] ValueError: no such ticker" in function.recorded.lines()


@pytest.mark.parametrize(
    ("statement", "status"),
    [("raise SystemExit(3)", "exit status 3"), ("raise asyncio.CancelledError", "exit status 1")],
)
async def test_exit_kills_the_environment(kind: str, open_function: Open, statement: str, status: str) -> None:
    """Whatever is not an `Exception` ends the runtime: Runtime.ExitError, and a new init in the next invocation."""
    source = f"""
        import asyncio
        print("init")
        def handler(event, context):
            if event == "fail":
                {statement}
            return "fine"
    """
    async with open_function(kind, source) as function:
        result = await function.invoke("fail")
        assert isinstance(result, Failed)
        assert (result.outcome, result.error_type) == ("crash", "Runtime.ExitError")
        assert result.message.endswith(f"Error: Runtime exited with error: {status}")
        assert await function.invoke("again") == Returned("fine")
    assert function.recorded.lines().count("init") == 2


async def test_timeout(kind: str, open_function: Open, tmp_path: Path) -> None:
    """The deadline ends the invocation with Sandbox.Timedout, and the environment is made anew."""
    source = """
        import os, time
        print("init")
        def handler(event, context):
            print("at work")
            while event and not os.path.exists(event):
                time.sleep(0.01)
            return "in time"
    """
    end = tmp_path / "end"
    async with open_function(kind, source) as function:
        result = await function.time_out(str(end), "at work")
        assert isinstance(result, Failed)
        assert (result.outcome, result.error_type) == ("timeout", "Sandbox.Timedout")
        assert await function.invoke() == Returned("in time")
    end.touch()
    assert function.recorded.lines().count("init") == 2


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        (
            "nowhere.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'nowhere': No module named 'nowhere'",
        ),
        ("json.nothing", "Runtime.HandlerNotFound", "Handler 'nothing' missing on module 'json'"),
        (
            "nodots",
            "Runtime.MalformedHandlerName",
            "Bad handler 'nodots': not enough values to unpack (expected 2, got 1)",
        ),
    ],
)
async def test_handler_that_cannot_be_loaded(
    kind: str, open_function: Open, handler: str, error_type: str, message: str
) -> None:
    """Every way to name a missing handler is an init error with the runtime client's type and words."""
    async with open_function(kind, "", handler=handler) as function:
        result = await function.invoke()
    assert isinstance(result, Failed)
    assert (result.outcome, result.error_type, result.message) == ("init-error", error_type, message)


@pytest.mark.parametrize(
    ("source", "error_type", "part"),
    [
        ("import os\nTABLE = os.environ['MISSING']\ndef handler(e, c): ...", "KeyError", "MISSING"),
        ("def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module"),
    ],
)
async def test_module_that_fails(kind: str, open_function: Open, source: str, error_type: str, part: str) -> None:
    """A module that raises or does not parse fails init, and the log shows it."""
    async with open_function(kind, source) as function:
        result = await function.invoke()
    assert isinstance(result, Failed)
    assert (result.outcome, result.error_type) == ("init-error", error_type)
    assert part in result.message
    assert any(line.startswith(f"[ERROR] {error_type}") for line in function.recorded.lines())


async def test_result_that_is_no_json(kind: str, open_function: Open) -> None:
    """A result that cannot be encoded is Runtime.MarshalError, in the encoder's words."""
    source = """
        async def handler(event, context): ...
        handler_of_coroutines = handler
        def handler(event, context):
            return {1, 2}
    """
    async with open_function(kind, source) as function:
        result = await function.invoke()
    assert isinstance(result, Failed)
    assert result.error_type == "Runtime.MarshalError"
    assert result.message == "Unable to marshal response: Object of type set is not JSON serializable"


async def test_decimals_are_numbers(kind: str, open_function: Open) -> None:
    """A Decimal is returned as a number."""
    source = """
        from decimal import Decimal
        def handler(event, context):
            return [Decimal("1.5"), Decimal(3)]
    """
    async with open_function(kind, source) as function:
        assert await function.invoke() == Returned([1.5, 3])


async def test_response_too_large(kind: str, open_function: Open) -> None:
    """A response of more than 6 MB is refused, and the environment stays usable."""
    source = """
        def handler(event, context):
            return "x" * event
    """
    async with open_function(kind, source) as function:
        result = await function.invoke(7 * 1024 * 1024)
        assert isinstance(result, Failed)
        assert result.error_type == "Function.ResponseSizeTooLarge"
        assert len((await function.invoke(6 * 1024 * 1024)).payload) == 6 * 1024 * 1024


async def test_output_stands_between_start_and_report(kind: str, open_function: Open) -> None:
    """What the handler prints comes after START and before END, line by line, including errors."""
    source = """
        import sys, threading
        def handler(event, context):
            print("one\\ntwo")
            print("three", file=sys.stderr)
            thread = threading.Thread(target=print, args=("from a thread",))
            thread.start()
            thread.join()
            print("no newline", end="")
    """
    async with open_function(kind, source) as function:
        await function.invoke()
        await function.invoke()
    lines = [line.split(" RequestId")[0] for line in function.recorded.lines()]
    assert lines == ["START", "one", "two", "three", "from a thread", "no newline", "END", "REPORT"] * 2


LOGS = """
    import logging
    log = logging.getLogger()
    log.setLevel("INFO")
    log.info("loaded")
    def handler(event, context):
        log.info("told %s", event)
        logging.getLogger("mine").debug("nobody hears this")
        try:
            {}["x"]
        except KeyError:
            log.exception("it broke")
        return context.aws_request_id
"""


async def test_what_a_handler_logs_has_lambdas_form(kind: str, open_function: Open) -> None:
    """Level, time and the request's id in front, between tabs; a traceback follows its message."""
    async with open_function(kind, LOGS) as function:
        request_id = (await function.invoke("a word")).payload
    lines = [re.sub(r"\t[\d-]{10}T[\d:]{8}\.\d{3}Z\t", "\t(time)\t", line) for line in function.recorded.lines()]
    logged = [line for line in lines if line.startswith("[")]
    assert logged == [
        "[INFO]\t(time)\t\tloaded",
        f"[INFO]\t(time)\t{request_id}\ttold a word",
        f"[ERROR]\t(time)\t{request_id}\tit broke",
    ]
    after = lines[lines.index(logged[2]) + 1 :]
    assert after[0] == "Traceback (most recent call last):"
    assert "KeyError: 'x'" in after


async def test_what_a_handler_logs_can_be_json(kind: str, open_function: Open) -> None:
    """With the function's log format, each record is a JSON document that carries the request's id and the error."""
    async with open_function(kind, LOGS, log_format="JSON") as function:
        request_id = (await function.invoke("a word")).payload
    documents = [json.loads(line) for line in function.recorded.lines() if line.startswith("{")]
    _, told, broke = [each for each in documents if each.get("logger") == "root"]
    assert (told["level"], told["message"], told["requestId"]) == ("INFO", "told a word", request_id)
    assert (broke["level"], broke["errorType"], broke["errorMessage"]) == ("ERROR", "KeyError", "'x'")
    assert any("handler" in frame for frame in broke["stackTrace"])


async def test_json_log_format_reaches_the_handler(kind: str, open_function: Open) -> None:
    """In JSON format an uncaught exception is one JSON line, and the handler knows the format and level."""
    source = """
        import os
        def handler(event, context):
            raise ValueError(os.environ["AWS_LAMBDA_LOG_FORMAT"] + os.environ["AWS_LAMBDA_LOG_LEVEL"])
    """
    async with open_function(kind, source, log_format="JSON", log_level="INFO") as function:
        await function.invoke()
    lines = [json.loads(line) for line in function.recorded.lines()]
    (error,) = [each for each in lines if each.get("level") == "ERROR"]
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "JSONINFO")
    assert [each["type"] for each in lines if "type" in each][-1] == "platform.report"


ELSEWHERE = {
    **dict.fromkeys(("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_DYNAMODB"), "http://192.0.2.1"),
    **dict.fromkeys(("HTTP_PROXY", "https_proxy", "All_Proxy", "no_proxy"), "http://192.0.2.1:3128"),
    **dict.fromkeys(("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"), "true"),
    **dict.fromkeys(("AWS_ENDPOINT_DISCOVERY_ENABLED", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true"),
    **dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), "/var/task/config"),
    **dict.fromkeys(("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_SERVICE_ENDPOINT"), "http://192.0.2.1/"),
    "AWS_EC2_METADATA_DISABLED": "false",
    "AWS_CSM_ENABLED": "true",
    "AWS_CSM_HOST": "192.0.2.1",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required",
    "AWS_XRAY_DAEMON_ADDRESS": "192.0.2.1:2000",
}


async def test_no_variable_of_a_template_leads_elsewhere(kind: str, open_function: Open) -> None:
    """A client made without an endpoint uses the run's; the function's other variables stay."""
    source = """
        import os, sys, urllib.request
        def handler(event, context):
            sys.path.append(event)
            import boto3
            made = [boto3.client(service) for service in ("s3", "sqs", "dynamodb")]
            credentials = boto3.Session().get_credentials()
            return {
                "endpoints": [client.meta.endpoint_url for client in made],
                "key": credentials.access_key,
                "proxies": urllib.request.getproxies(),
                "seen": sorted(os.environ),
                "mine": os.environ["MINE"],
            }
    """
    async with open_function(kind, source, environment={**ELSEWHERE, "MINE": "kept"}) as function:
        result = (await function.invoke(sysconfig.get_path("purelib"))).payload
    assert result["endpoints"] == ["http://127.0.0.1:9"] * 3
    assert result["key"] == "dummy-access-key"
    assert result["proxies"] == {}
    assert result["mine"] == "kept"
    ours = {"AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED"}
    assert set(result["seen"]) & ELSEWHERE.keys() == ours
