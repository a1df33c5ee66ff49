"""The audit against a real store that breaks off, refuses and ends, and on a full disk."""

from __future__ import annotations

import asyncio
import resource
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from aiobotocore.response import StreamingBody
from botocore.exceptions import ClientError

from fakes.audited import EXACT, FIRST, Scene
from simulator.base import limits
from simulator.base.clients import connect, offline_session
from simulator.base.errors import CouldNotFinish
from simulator.base.observations import AuditProgressed, Observation
from simulator.proof.account import ObjectsAtRest

pytestmark = pytest.mark.asyncio(loop_scope="module")


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


class _BreaksOff:
    """An S3 client whose first bodies break off after a few bytes, like a lost connection."""

    def __init__(self, real: Any, times: int) -> None:
        self._real, self._times = real, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def get_object(self, **arguments: Any) -> Any:
        answer = await self._real.get_object(**arguments)
        if arguments["Key"] == "stocks/first.csv" and self._times:
            self._times -= 1
            # S3 announced one byte more than came.
            answer["Body"] = StreamingBody(answer["Body"].__wrapped__, str(answer["ContentLength"] + 1))
        return answer


async def test_an_object_whose_body_breaks_off_is_read_again(scene: Scene) -> None:
    """A connection lost within an object costs a second read, and no row is counted twice."""
    assert await scene.audit(s3=_BreaksOff(scene.clients.s3, 2)) == EXACT


async def test_an_object_that_always_breaks_off_ends_the_audit(scene: Scene) -> None:
    """After three attempts the audit gives up with one line that names the object."""
    with pytest.raises(CouldNotFinish, match=f"could not read s3://{scene.name}/stocks/first.csv") as failure:
        await scene.audit(s3=_BreaksOff(scene.clients.s3, 99))
    assert "\n" not in str(failure.value)


class _Refuses:
    """An S3 client that lists an object and then fails its get: an error's code is AWS's answer."""

    def __init__(self, real: Any, key: str, error: str | Exception) -> None:
        self._real, self._key, self._error = real, key, error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def get_object(self, **arguments: Any) -> Any:
        if arguments["Key"] == self._key:
            if isinstance(self._error, str):
                raise ClientError({"Error": {"Code": self._error, "Message": "no"}}, "GetObject")
            raise self._error
        return await self._real.get_object(**arguments)


async def test_an_object_that_may_not_be_read_ends_the_audit(scene: Scene) -> None:
    """Without an object's rows nothing can be proven, so the refusal is reported and names the object."""
    with pytest.raises(CouldNotFinish, match=r"s3://audit-\w+/stocks/first\.csv: .*AccessDenied"):
        await scene.audit(s3=_Refuses(scene.clients.s3, "stocks/first.csv", "AccessDenied"))


async def test_a_defect_of_one_reader_ends_the_audit_with_it(scene: Scene) -> None:
    """An error in one of several readers is raised unchanged, and the others are not waited for."""
    for number in range(20):
        await scene.put(f"stocks/{number}.csv", FIRST)
    defect, before = AttributeError("a defect"), asyncio.all_tasks()
    async with asyncio.timeout(30):
        with pytest.raises(AttributeError, match="a defect") as failure:
            await scene.audit(s3=_Refuses(scene.clients.s3, "stocks/7.csv", defect))
    assert failure.value is defect
    assert asyncio.all_tasks() == before


async def test_a_forbidden_object_in_the_dead_letter_queue_is_accounted_for(scene: Scene) -> None:
    """An unreadable object is in the dead-letter queue for that reason; the rest is proven without it."""
    await scene.put("stocks/forbidden.csv", FIRST)
    refuses = _Refuses(scene.clients.s3, "stocks/forbidden.csv", "AccessDenied")
    found = await scene.audit(s3=refuses, dead_lettered=("stocks/forbidden.csv",))
    assert found == replace(EXACT, dead_lettered=ObjectsAtRest(1, 0, 0))


async def test_an_object_that_is_deleted_during_the_audit_says_nothing(scene: Scene) -> None:
    """An object that was listed and is gone when it is read counts as if it had never existed."""
    await scene.put("stocks/passing.csv", FIRST)
    assert await scene.audit(s3=_Refuses(scene.clients.s3, "stocks/passing.csv", "NoSuchKey")) == EXACT


async def test_an_object_of_a_sample_that_is_gone_leaves_it_unproven(scene: Scene) -> None:
    """Its rows may be in the table, and a sample does not look for them: the object does not count as read."""
    await scene.put("stocks/passing.csv", FIRST)
    gone = _Refuses(scene.clients.s3, "stocks/passing.csv", "NoSuchKey")
    found = await scene.audit(s3=gone, sample_seed=1)
    assert found.sampled is not None
    assert (found.verdict, found.sampled.objects) == ("unproven", found.sampled.of - 1)
    assert found.differences == ("stocks/passing.csv is in the sample, but was gone before it was read",)
    at_rest = await scene.audit(s3=gone, sample_seed=1, dead_lettered=("stocks/passing.csv",))
    assert (at_rest.verdict, at_rest.differences) == ("exact", ())


async def test_a_table_that_does_not_exist_is_one_clear_line(scene: Scene) -> None:
    """AWS's refusal is reported in one line."""
    with pytest.raises(CouldNotFinish, match=r"could not go on reading: .*ResourceNotFoundException"):
        await scene.audit(table="nowhere")


async def test_a_store_that_is_gone_is_one_clear_line(scene: Scene, unused_tcp_port: int) -> None:
    """A store that died ends the audit with one line, not with a traceback."""
    async with connect(f"http://127.0.0.1:{unused_tcp_port}", offline_session()) as nobody:
        with pytest.raises(CouldNotFinish, match="could not go on reading: Could not connect"):
            await scene.audit(dynamodb=nobody.dynamodb)


async def test_a_full_disk_ends_the_audit_with_one_line(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The temporary file cannot grow: one line says so, from any task, and nothing is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(limits, "AUDIT_MEMORY_BYTES", 10_000)
    await scene.put("stocks/more.csv", "ticker,date\n" + "".join(f"A,{n:04d}-01-01\n" for n in range(1, 3000)))
    limit, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, most))
    try:
        with pytest.raises(CouldNotFinish, match=r"cannot use its temporary file .*TMPDIR") as failure:
            await scene.audit()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    assert "\n" not in str(failure.value)
    assert _files(tmp_path) == []


async def test_an_account_beyond_memory_is_the_same(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With hardly any memory everything goes to disk, of which nothing is left: no figure changes."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(limits, "AUDIT_MEMORY_BYTES", 0)
    assert await scene.audit() == EXACT
    assert _files(tmp_path) == []


async def test_a_cancelled_audit_leaves_nothing_running(scene: Scene) -> None:
    """With Ctrl-C during the comparison, the thread has ended when the audit has."""
    before = asyncio.all_tasks()

    def record(observation: Observation) -> None:
        if cast("AuditProgressed", observation).part == "comparison":
            asyncio.get_running_loop().call_soon(running.cancel)

    # An audit that fails before its comparison fails this test: nothing waits for a comparison that never comes.
    running = asyncio.create_task(scene.audit(record=record))
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asyncio.all_tasks() == before
