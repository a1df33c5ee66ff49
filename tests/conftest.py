"""What several rooms' tests need: a running store, and real input."""

from __future__ import annotations

import importlib.metadata
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from simulator.store import Store


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def store_endpoint() -> AsyncIterator[str]:
    """One store for the whole session; a test makes its own resources under fresh names."""
    async with Store.open() as store:
        yield store.endpoint


@pytest.fixture(scope="session")
def vega_stocks() -> Path:
    """`stocks.csv` of vega-datasets 0.9.0: 560 rows of symbol,date,price, dates like `Jan 1 2000`.

    Found without importing the package, which wants pandas.
    """
    return Path(str(importlib.metadata.distribution("vega-datasets").locate_file("vega_datasets/_data/stocks.csv")))
