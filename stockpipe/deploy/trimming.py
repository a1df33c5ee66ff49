"""Which files of the installed wheels the handlers do not need. Pure, except for the one walk that deletes them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path, PurePosixPath
from typing import Any

SERVICES = ("dynamodb", "s3")
"""AWS services that the handlers call."""
_SOURCE_ONLY = {".c", ".h", ".hash", ".pxd", ".pxi", ".pyi", ".pyx"}
_UNUSED_MODELS = ("examples-", "paginators-", "waiters-")
_UNUSED_METADATA = {"INSTALLER", "RECORD", "REQUESTED", "WHEEL", "direct_url.json", "entry_points.txt", "top_level.txt"}


def is_needed(path: PurePosixPath) -> bool:
    """Whether a file, relative to the directory of the wheels, belongs in the zip.

    Left out are models of services that are not called, sources of compiled modules, type stubs, tests, scripts, and
    pip's records of an installation. Licences and `METADATA` stay.
    """
    if path.suffix in _SOURCE_ONLY or path.parts[0] == "bin" or "__pycache__" in path.parts:
        return False
    if path.parts[0].endswith(".dist-info"):
        return path.name not in _UNUSED_METADATA
    if "tests" in path.parts[:-1]:
        return False
    if path.parts[:2] == ("botocore", "data") and len(path.parts) > 3:
        return path.parts[2] in SERVICES and not path.name.startswith(_UNUSED_MODELS)
    return True


def without_documentation(model: Any) -> Any:
    """A service model without its documentation, which is most of what a client reads when it is made."""
    if isinstance(model, dict):
        return {
            name: without_documentation(value)
            for name, value in model.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    if isinstance(model, list):
        return [without_documentation(value) for value in model]
    return model


def trim(directory: Path) -> None:
    """Delete what the handlers do not need; shorten botocore's models and its list of endpoints."""
    for file in sorted(directory.rglob("*")):
        if file.is_file() and not is_needed(PurePosixPath(file.relative_to(directory).as_posix())):
            file.unlink()
    for folder in sorted((path for path in directory.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    data = directory / "botocore" / "data"
    for model in sorted(data.glob("*/*/*.json.gz")):
        content = json.loads(gzip.decompress(model.read_bytes()))
        # Elsewhere, as in the rules of endpoints, botocore requires the documentation.
        for part in ("operations", "shapes"):
            if part in content:
                content[part] = without_documentation(content[part])
        _write_json(model.with_suffix(""), content)  # uncompressed: the zip compresses, and nothing unpacks at start
        model.unlink()
    file = data / "endpoints.json"
    if file.exists():
        endpoints = json.loads(file.read_text(encoding="utf-8"))
        for partition in endpoints["partitions"]:  # reading all of them is a third of a client's cost
            services = partition["services"]
            partition["services"] = {name: services[name] for name in services if name in SERVICES}
        _write_json(file, endpoints)


def _write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
