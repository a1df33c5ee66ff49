"""What several rooms' tests need: a running store, and real input."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio

from simulator.store import Store

# The same examples in every run, so that a red test means a change; HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("explore", deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def store_endpoint() -> AsyncIterator[str]:
    """One store for the whole session; a test makes its own resources under fresh names."""
    async with Store.open() as store:
        yield store.endpoint


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run by themselves, without the third more that measuring their coverage takes.

    For runs that differ in what they are given: the lines that these reach, other commands of the tests reach as well.
    """
    for name in list(os.environ):
        if name.startswith("COVERAGE_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def vega_stocks() -> Path:
    """`stocks.csv` of vega-datasets 0.9.0: 560 rows of symbol,date,price, dates like `Jan 1 2000`.

    Found without importing the package, which wants pandas.
    """
    return Path(str(importlib.metadata.distribution("vega-datasets").locate_file("vega_datasets/_data/stocks.csv")))


MOTO = """
import logging, sys
from moto.server import ThreadedMotoServer
logging.disable()
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("http://%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="session")
def aws_engine() -> Iterator[str]:
    """A stock moto server, for the services that the store has not: CloudFormation, Lambda, STS and CloudWatch.

    It ends when its input does, whatever way the tests end.
    """
    command = [sys.executable, "-W", "ignore", "-c", MOTO]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin
        assert process.stdout
        yield process.stdout.readline().decode().strip()
        process.stdin.close()
