"""Cold start of the consumer: processor time of imports and clients, `stockpipe package` against `sam build`.

`PYTHONPATH=. python benchmarks/cold_start.py [--rounds N]`. Builds four artifacts for this machine (pip needs an index
or its cache) and starts each in turn, in processes of its own that see only the artifact and the standard library and,
as on Lambda, cannot write compiled files. Prints medians and ratios.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from stockpipe.deploy import package
from stockpipe.deploy.targets import Target, default_python

START = """
import time
began = time.process_time()
import pipeline.consumer
print((time.process_time() - began) * 1000)
"""
ENVIRON = {
    "TABLE_NAME": "StockData",
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9",  # as on Lambda: the clients are made at import, which is init
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "dummy",
    "AWS_SECRET_ACCESS_KEY": "dummy",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def artifacts(scratch: Path, target: Target) -> Iterator[tuple[str, Path]]:
    """The artifacts, the baseline first."""
    plain = scratch / "plain"
    plain.mkdir()
    package._install_wheels(plain, target)  # noqa: SLF001 - the same wheels, left as pip unpacks them
    package._copy_handlers(plain)  # noqa: SLF001
    yield "sam build: untrimmed, nothing compiled", plain
    compiled = scratch / "compiled"
    shutil.copytree(plain, compiled)
    package._compile(compiled, Path(sys.executable))  # noqa: SLF001
    yield "untrimmed, compiled", compiled
    ours = scratch / "ours"
    package.build_directory(ours, target, report=lambda _: None)
    trimmed = scratch / "trimmed"
    shutil.copytree(ours, trimmed, ignore=shutil.ignore_patterns("__pycache__"))
    yield "trimmed, nothing compiled", trimmed
    yield "stockpipe package: trimmed, compiled", ours


def start(directory: Path) -> float:
    """One cold start: milliseconds of processor time for imports and clients."""
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-P", "-c", START],
        env={**ENVIRON, "PYTHONPATH": str(directory)},
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def main() -> None:
    """Build, measure in turn, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    architecture = {"aarch64": "arm64"}.get(platform.machine(), "x86_64")
    target = Target(default_python(), architecture)
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="stockpipe-cold-start-") as scratch:
        built = list(artifacts(Path(scratch), target))
        zips = {}
        for name, directory in built:
            zipped = Path(scratch) / "artifact.zip"
            package.write_zip(directory, zipped)
            zips[name] = zipped.stat().st_size
        began = time.monotonic()
        measured: dict[str, list[float]] = {name: [] for name, _ in built}
        for _ in range(rounds):
            for name, directory in built:
                measured[name].append(start(directory))
        print(f"medians of {rounds} interleaved rounds, {time.monotonic() - began:.0f} s; ms of processor time\n")
        base = statistics.median(measured[built[0][0]])
        print(f"{'artifact':<42}{'zip, MB':>8}{'median':>8}{'fastest':>9}{'ratio':>8}")
        for name, _ in built:
            median = statistics.median(measured[name])
            print(f"{name:<42}{zips[name] / 1e6:>8.1f}{median:>8.0f}{min(measured[name]):>9.0f}{median / base:>8.0%}")


if __name__ == "__main__":
    main()
