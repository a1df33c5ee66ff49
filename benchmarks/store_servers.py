"""Which server to put moto behind: requests per second and processor time per request, with an idle application.

    python benchmarks/store_servers.py     every server that is installed

aiohttp and werkzeug come with the project. The others are only compared here, so the project does not depend on them;
to include them in the table:

    python -m pip install granian cheroot uvicorn httptools

The body is a BatchWriteItem's (6 KB), over eight keep-alive connections; processor time is of all the server's
processes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import os
import platform
import socket
import statistics
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ANSWER = b'{"UnprocessedItems":{}}'
SERVERS = ("aiohttp", "uvicorn", "granian", "cheroot", "werkzeug")
HEAD = (
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: DynamoDB_20120810.BatchWriteItem\r\n"
    "Content-Type: application/x-amz-json-1.0\r\nUser-Agent: benchmark\r\nX-Amz-Date: 20261122T090000Z\r\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=TESTING/20261122/us-east-1/dynamodb/aws4_request, Signature=0\r\n"
)
REQUEST = HEAD.encode() + b"Content-Length: 6000\r\n\r\n" + b"x" * 6_000


def application(environ, start_response):  # type: ignore[no-untyped-def]
    """The WSGI application: reads the body and answers."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(ANSWER)))])
    return [ANSWER]


def main() -> None:
    """Measure every server, or be one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--serve", nargs=2, metavar=("SERVER", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        _serve(options.serve[0], int(options.serve[1]))
        return
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    asyncio.run(_measure(options.runs, options.requests))


async def _measure(runs: int, requests: int) -> None:
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in SERVERS if importlib.util.find_spec(name)}
    for _ in range(runs):
        for name, measured in figures.items():
            measured.append(await _run(name, requests))
    print(f"medians of {runs} alternating runs of {requests} requests")
    print(f"{'':22} {'requests/s':>11} {'CPU us/request':>15}")
    for name, measured in figures.items():
        rate, cpu = (statistics.median(column) for column in zip(*measured, strict=True))
        print(f"{name + ' ' + _version(name):22} {rate:11,.0f} {cpu:15.0f}")
    for name in set(SERVERS) - set(figures):
        print(f"{name}: not installed, left out")


async def _run(name: str, requests: int) -> tuple[float, float]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--serve", name, str(port), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        while True:
            with contextlib.suppress(OSError):
                await _ask(port, 1)
                break
            await asyncio.sleep(0.1)
        await _ask(port, 50)
        cpu, wall = _cpu_s(process.pid), time.perf_counter()
        await asyncio.gather(*(_ask(port, requests // 8) for _ in range(8)))
        wall = time.perf_counter() - wall
        return requests / wall, (_cpu_s(process.pid) - cpu) / requests * 1e6
    finally:
        process.terminate()
        await process.wait()


async def _ask(port: int, requests: int) -> None:
    reader = writer = None
    for _ in range(requests):
        if writer is None or reader is None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
        if b"connection: close" in head or head.startswith(b"http/1.0"):
            writer.close()
            writer = None
    if writer is not None:
        writer.close()


def _cpu_s(pid: int) -> float:
    total = 0
    for path in [Path(f"/proc/{pid}"), *_children(pid)]:
        with contextlib.suppress(OSError):
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[Path]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[1] == str(pid):
                found.append(stat.parent)
    return found


def _version(name: str) -> str:
    with contextlib.suppress(PackageNotFoundError):
        return version(name)
    return ""


def _serve(name: str, port: int) -> None:
    if name == "aiohttp":
        asyncio.run(_serve_aiohttp(port))
    elif name == "uvicorn":
        import uvicorn

        uvicorn.run(_asgi, port=port, log_level="error", access_log=False, lifespan="off", loop="asyncio")
    elif name == "granian":
        from granian import Granian

        sys.path.insert(0, str(Path(__file__).parent))
        Granian(
            "store_servers:application", port=port, interface="wsgi", blocking_threads=16, log_enabled=False
        ).serve()
    elif name == "cheroot":
        from cheroot.wsgi import Server

        Server(("127.0.0.1", port), application, numthreads=16).start()
    else:
        from werkzeug.serving import make_server

        make_server("127.0.0.1", port, application, threaded=True).serve_forever()


async def _serve_aiohttp(port: int) -> None:
    from aiohttp import web

    async def handle(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response(body=ANSWER, content_type="application/json")

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


async def _asgi(_scope, receive, send):  # type: ignore[no-untyped-def]
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


if __name__ == "__main__":
    main()
