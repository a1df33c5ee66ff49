"""Templates from text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.stack.model import Stack
from simulator.stack.template import load


@pytest.fixture
def load_text(tmp_path: Path) -> Callable[..., Stack]:
    """Load a template from text, with parameters as keyword arguments. The file is `t.yaml` in `tmp_path`."""

    def load_text(text: str, **parameters: str) -> Stack:
        file = tmp_path / "t.yaml"
        file.write_text(text, encoding="utf-8")
        return load(file, parameters)

    return load_text
