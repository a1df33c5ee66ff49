"""The pipeline's own template: where it is, and how messages name it."""

from __future__ import annotations

from contextlib import suppress
from importlib import resources
from pathlib import Path


def packaged_template() -> Path:
    """Where the pipeline's own template is, both in a checkout and in an installed package."""
    return Path(str(resources.files("pipeline").joinpath("template.yaml")))


def shown_template(path: Path | None) -> Path:
    """A template as messages name it: as it was given, and the pipeline's own as it can be opened from here."""
    own = packaged_template()
    with suppress(OSError, ValueError):  # elsewhere, or below a working directory that was deleted
        return path or own.relative_to(Path.cwd())
    return own
