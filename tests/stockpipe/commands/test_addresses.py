"""Ports and endpoints that cannot be used are found before anything starts or is sent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from cli import app
from simulator.base.errors import InputError
from stockpipe.commands import addresses
from stockpipe.commands.addresses import require_endpoint, require_free_port, require_url

NO_ENDPOINT = "is not an endpoint for AWS's services"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port where somebody listens, who says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def web_server(answer: bytes) -> str:
    """The URL of a server that gives one answer, once."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, listener:
            connection.recv(65_536)
            connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("command", ["simulate --ticks 1", "load-test --duration 1s", "store"])
def test_a_port_in_use_is_found_before_anything_starts(command: str, taken: int) -> None:
    """One line, the way out, exit code 2, and nothing on standard output."""
    ended = CliRunner().invoke(app, [*command.split(), "--port", str(taken)])
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr == f"stockpipe: port {taken} is in use\n  hint: `--port 0` uses a free one\n"


def test_a_free_port_and_none_are_taken(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that may not be had says why."""
    require_free_port(0)
    with pytest.raises(InputError, match=f"port {taken} is in use"):
        require_free_port(taken)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse, raising=False)
    with pytest.raises(InputError, match="port 80 cannot be used: Permission denied; choose one above 1023"):
        require_free_port(80)


@pytest.mark.parametrize(
    "url", ["garbage", "localhost:4566", "ftp://x", "http://", "http://[::1", "http://a:0", "http://a b"]
)
def test_garbage_is_not_an_endpoint(url: str) -> None:
    """It is quoted, and a URL is shown."""
    with pytest.raises(InputError, match=r"'.*' is not the URL of an endpoint; write http://127.0.0.1:4566"):
        require_url(url)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<h1>x</h1",
            "is not an endpoint for AWS's services: it answered HTTP 200",
        ),
        (
            b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n{}",
            "is not an endpoint for AWS's services: it answered HTTP 404",
        ),
        (b"SSH-2.0-OpenSSH\r\n", "does not speak HTTP"),
        (b"", "does not"),
    ],
)
def test_what_is_not_aws_is_named(answer: bytes, said: str) -> None:
    """A web server, or a server of another kind."""
    with pytest.raises(InputError, match=said) as refused:
        require_endpoint(web_server(answer))
    assert refused.value.hint == "start the endpoint, or correct its address"


@pytest.mark.parametrize("command", ["load-test --duration 1s", "status --stack s"])
def test_nothing_is_sent_where_nobody_answers(command: str, taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed port and one that stays silent: one line, exit code 2, in every command with the option."""
    monkeypatch.setattr(addresses, "REACH_S", 0.05)
    for port, said in ((1, "does not answer: Connection refused"), (taken, "does not answer within 0.05 s")):
        ended = CliRunner().invoke(app, [*command.split(), "--endpoint-url", f"http://127.0.0.1:{port}"])
        assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (2, "", 2)
        assert f"--endpoint-url: 'http://127.0.0.1:{port}' {said}" in ended.stderr


@pytest.mark.parametrize("command", ["load-test --duration 1s", "status --stack s"])
def test_an_endpoint_without_a_scheme_is_refused(command: str) -> None:
    """Nothing is asked, in any command with the option."""
    ended = CliRunner().invoke(app, [*command.split(), "--endpoint-url", "127.0.0.1:5000"])
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "--endpoint-url: '127.0.0.1:5000' is not the URL of an endpoint" in ended.stderr


def test_moto_is_an_endpoint(aws_engine: str) -> None:
    """And so is the store (tests/stockpipe/commands/test_store.py)."""
    require_endpoint(aws_engine)
