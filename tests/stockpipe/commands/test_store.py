"""`stockpipe store` as a process: it serves, stops when asked to, and says in one line what is wrong."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from stockpipe.commands.addresses import require_endpoint


def start(*arguments: str) -> subprocess.Popen[str]:
    """The command, with its output caught."""
    return subprocess.Popen(
        [sys.executable, "-m", "stockpipe", "store", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def running() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A store on any free port, and its endpoint from the first line it writes."""
    process = start("--port", "0", "--capacity", "aws")
    assert process.stdout is not None
    name, _, endpoint = process.stdout.readline().strip().partition(" ")
    assert name == "endpoint"
    yield process, endpoint
    process.kill()
    process.communicate()


def test_it_serves_until_ctrl_c_and_refuses_a_port_in_use(running: tuple[subprocess.Popen[str], str]) -> None:
    """The endpoint answers; a second store on its port is one line and exit code 2; Ctrl-C is exit code 0."""
    process, endpoint = running
    with urllib.request.urlopen(f"{endpoint}/_stockpipe/health") as answer:
        assert json.loads(answer.read()) == {"status": "ok"}
    require_endpoint(endpoint)
    port = endpoint.rsplit(":", 1)[-1]
    second = start("--port", port)
    output, errors = second.communicate(timeout=60)
    assert (second.returncode, output) == (2, "")
    assert errors == f"stockpipe: port {port} is in use\n  hint: `--port 0` uses a free one\n"
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "AWS's rules and AWS's capacity" in error


def test_an_unknown_option_is_wrong_usage() -> None:
    """Typer's own line, exit code 2."""
    process = start("--durable")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "'stockpipe store' has no option '--durable'" in errors
