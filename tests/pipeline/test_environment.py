"""The plain handler that Lambda calls, and where clients connect."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiobotocore.session import AioSession
from botocore.httpsession import get_cert_path

from fakes.aws import serving
from fakes.handlers import batch, environ, opened
from pipeline import consumer
from pipeline.environment import Access, Handler, access, client, credentials_of, trusted_authorities
from pipeline.settings import SettingsError


def handler_of(invoke):
    """A handler that wraps this coroutine function."""

    class Core:
        def __init__(self, _environ, _session, _write):
            pass

        async def __aenter__(self):
            return invoke

        async def __aexit__(self, *_):
            return None

    return Handler(Core)


def test_all_invocations_run_on_one_loop():
    """Clients and locks outlive the invocation because their loop does."""

    async def invoke(event, _context):
        return id(asyncio.get_running_loop()), event

    handler = handler_of(invoke)

    assert handler(1, None)[0] == handler(2, None)[0]
    handler.close()


@pytest.mark.parametrize("raised", [asyncio.CancelledError, SystemExit])
def test_what_would_end_the_process_becomes_a_failed_invocation(raised):
    """Lambda's runtime catches only `Exception`; the environment must survive the rest."""

    async def invoke(event, _context):
        if event == "bad":
            raise raised
        return event

    handler = handler_of(invoke)

    with pytest.raises(RuntimeError, match="the invocation was interrupted"):
        handler("bad", None)
    assert handler("good", None) == "good"
    handler.close()


def run_python(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run this in an interpreter that has these variables and no credentials."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", code], env=kept | variables, capture_output=True, text=True, timeout=60, check=False
    )


def test_within_lambda_a_bad_setting_fails_the_import():
    """That is during init, so the deployment shows the error before the first message does."""
    result = run_python("import pipeline.consumer", AWS_LAMBDA_RUNTIME_API="127.0.0.1:9001")

    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1] == (
        "pipeline.settings.SettingsError: TABLE_NAME is not set; the function requires it"
    )


def test_outside_lambda_the_import_needs_no_settings():
    """A simulator and a type checker import handlers without being a function."""
    result = run_python("import pipeline.consumer, pipeline.generator")

    assert (result.returncode, result.stderr) == (0, "")


async def test_the_plain_handler_works_as_lambda_calls_it(aws):
    """It reads the process's variables, uses its own loop, works twice, and logs to standard output."""
    aws.objects["stocks/a.csv"] = b"ticker,date\nA,2024-01-02\n"
    code = f"""
from pipeline.consumer import handler
for _ in range(2):
    assert handler({batch("stocks/a.csv")!r}, None) == {{"batchItemFailures": []}}
"""
    result = await asyncio.to_thread(run_python, code, **environ(aws.endpoint), AWS_LAMBDA_FUNCTION_NAME="Consumer")

    assert (result.returncode, result.stderr) == (0, "")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line.get("message", line.get("FunctionName")) for line in lines] == ["object stored", "Consumer"] * 2
    assert aws.table.keys() == {("A", "2024-01-02")}


def test_an_endpoint_wants_its_own_credentials():
    """With a local store, botocore must never find the user's credentials."""
    with pytest.raises(SettingsError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        access({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "s3")
    with pytest.raises(SettingsError, match="must begin with http"):
        access({"AWS_ENDPOINT_URL": "127.0.0.1:1"}, "s3")
    assert access({"AWS_REGION": "eu-west-1"}, "s3") == Access("eu-west-1")


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
@pytest.mark.parametrize("empty", [True, False])
def test_half_of_the_credentials_are_none(missing, empty):
    """It holds for either half, whether it is absent or empty."""
    variables = environ("http://127.0.0.1:1")
    variables.pop(missing)
    with pytest.raises(SettingsError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        access(variables | ({missing: ""} if empty else {}), "s3")


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({}, "us-east-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "us-east-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-2"),
    ],
)
def test_the_region_is_lambdas_then_the_default(variables, region):
    """An empty variable counts as unset, and so does an empty endpoint."""
    assert access({**variables, "AWS_ENDPOINT_URL": ""}, "s3") == Access(region)


def test_a_session_token_belongs_to_the_credentials():
    """Without one, or with an empty one, they are permanent."""
    for given, token in (({}, None), ({"AWS_SESSION_TOKEN": ""}, None), ({"AWS_SESSION_TOKEN": "t"}, "t")):
        variables = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", **given}
        keys = access({**variables, "AWS_ENDPOINT_URL": "https://h"}, "s3").keys
        assert keys == {"aws_access_key_id": "a", "aws_secret_access_key": "s", "aws_session_token": token}


def test_a_service_may_have_an_endpoint_of_its_own():
    """`AWS_ENDPOINT_URL_DYNAMODB` takes precedence over `AWS_ENDPOINT_URL`."""
    variables = environ("http://127.0.0.1:1", AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:2")

    assert access(variables, "s3").endpoint_url == "http://127.0.0.1:1"
    assert access(variables, "dynamodb").endpoint_url == "http://127.0.0.1:2"


async def test_credentials_come_from_botocore_where_no_endpoint_is_given(monkeypatch):
    """They come from its provider, which is called each time, so that renewed ones are used."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from-botocore")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "first")
    session = AioSession()
    current = await credentials_of(session, Access("us-east-1"))
    first = await current()
    (await session.get_credentials()).token = "second"

    assert (first.access_key, first.token) == ("from-botocore", "first")
    assert (await current()).token == "second"


async def test_no_credentials_at_all_is_a_clear_error():
    """It is one line, at init."""

    class Poor:
        async def get_credentials(self):
            return None

    with pytest.raises(SettingsError, match="no AWS credentials"):
        await credentials_of(Poor(), Access("us-east-1"))


async def test_the_core_reads_nothing_but_its_environ(aws, session, monkeypatch):
    """The process's own endpoint, credentials and settings are not read."""
    for name, value in environ("http://127.0.0.1:9", TABLE_NAME="Other").items():
        monkeypatch.setenv(name, value)
    aws.objects["stocks/a.csv"] = b"ticker,date\nA,2024-01-02\n"

    async with opened(consumer.handler, session, environ(aws.endpoint)) as opened_consumer:
        assert await opened_consumer.ingest("stocks/a.csv") == []

    assert aws.table


async def test_connections_that_died_while_frozen_cost_no_message(session, aws):
    """The server closes every connection between two invocations, and the second one does not notice."""
    aws.objects["stocks/a.csv"] = b"ticker,date\nA,2024-01-02\n"
    transports = set()

    async def handle(request):
        transports.add(request.transport)
        return await aws.handle(request)

    async with serving(handle) as endpoint, opened(consumer.handler, session, environ(endpoint)) as opened_consumer:
        assert await opened_consumer.ingest("stocks/a.csv") == []
        for transport in transports:
            transport.abort()
        assert await opened_consumer.ingest("stocks/a.csv") == []
        assert opened_consumer.metrics["BatchWrites"] == 1


class Created:
    """A session that records what its clients are made with."""

    def create_client(self, service, **options):
        """Like aiobotocore's."""
        return service, options


@pytest.mark.parametrize(
    ("url", "verify", "proxies", "style"),
    [
        ("http://127.0.0.1:1", False, {}, "path"),
        ("https://h/?http:", None, {}, "path"),
        (None, None, None, "auto"),
    ],
)
def test_what_clients_are_made_with(url, verify, proxies, style):
    """Botocore connects to AWS in its own way and to an endpoint directly; TLS is always verified.

    A connection that fails or has died costs seconds, not the minute of botocore's defaults.
    """
    service, options = client(Created(), "s3", Access("eu-west-1", url, {"k": "v"}), connections=7, retries=2)

    assert (service, options["region_name"], options["endpoint_url"], options["k"]) == ("s3", "eu-west-1", url, "v")
    assert options["verify"] is verify
    config = options["config"]
    assert (config.connect_timeout, config.read_timeout, config.connector_args) == (
        3.0,
        10.0,
        {"keepalive_timeout": 5.0},
    )
    assert (config.max_pool_connections, config.parameter_validation) == (7, False)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert (config.proxies, config.s3) == (proxies, {"addressing_style": style})


def test_botocores_authorities_are_trusted_unless_others_are_named(tmp_path):
    """`AWS_CA_BUNDLE` replaces them; an empty one does not."""
    bundle = Path(get_cert_path(True)).read_text("utf-8")
    end = "-----END CERTIFICATE-----"
    (tmp_path / "one.pem").write_text(bundle[bundle.index("-----BEGIN") :].partition(end)[0] + end + "\n", "utf-8")

    all_of_them = trusted_authorities({}).get_ca_certs()
    assert len(all_of_them) == bundle.count(end)
    assert trusted_authorities({"AWS_CA_BUNDLE": ""}).get_ca_certs() == all_of_them
    assert len(trusted_authorities({"AWS_CA_BUNDLE": str(tmp_path / "one.pem")}).get_ca_certs()) == 1


class Watched:
    """A core that records what happens to it, and writes its events."""

    def __init__(self, fails=False):
        self.told = []
        self.fails = fails
        self.loop = None

    def __call__(self, _environ, _session, write):
        """Open the core, as a handler does."""
        self.write = write
        return self

    async def __aenter__(self):
        self.told.append("open")
        self.loop = asyncio.get_running_loop()
        if self.fails:
            raise SettingsError("as told")

        async def invoke(event, _context):
            self.write(event)

        return invoke

    async def __aexit__(self, *_):
        self.told.append("close")


@pytest.fixture
def at_exit(monkeypatch):
    """What is registered for the end of the process."""
    registered = []
    monkeypatch.setattr("pipeline.environment.atexit.register", registered.append)
    monkeypatch.setattr("pipeline.environment.atexit.unregister", registered.remove)
    return registered


def test_within_lambda_the_core_opens_at_once(monkeypatch, at_exit):
    """So init pays for it; elsewhere, the first call does."""
    core = Watched()
    handler = Handler(core)
    assert core.told == []
    handler("x", None)
    assert core.told == ["open"]
    handler.close()

    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
    core = Watched()
    Handler(core).close()
    assert core.told == ["open", "close"]


def test_an_open_handler_is_closed_when_the_process_ends_and_only_once(at_exit):
    """Clients and loop are closed in order; the next call opens new ones."""
    core = Watched()
    handler = Handler(core)
    handler.close()
    handler("x", None)
    assert at_exit == [handler.close]

    handler.close()
    handler.close()
    assert (core.told, at_exit, core.loop.is_closed()) == (["open", "close"], [], True)

    handler("x", None)
    assert core.told == ["open", "close", "open"]
    handler.close()


def test_a_core_that_does_not_open_leaves_no_loop(at_exit):
    """The caller gets the error, and nothing is left to close."""
    core = Watched(fails=True)
    handler = Handler(core)
    with pytest.raises(SettingsError, match="as told"):
        handler("x", None)

    assert core.loop.is_closed()
    assert at_exit == []


def test_a_line_is_out_as_soon_as_it_is_written(monkeypatch, at_exit):
    """A frozen environment would keep buffered output until it thaws, if ever."""
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="utf-8"))
    handler = Handler(Watched())
    handler("a line", None)
    handler.close()

    assert raw.getvalue() == b"a line\n"
