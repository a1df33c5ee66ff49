"""What a fault does to a request: before it, instead of it, after it. The plane decides whether one strikes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import quote, unquote
from weakref import WeakKeyDictionary

import orjson

from simulator.base.principals import NOBODY, Principal, principal_of
from simulator.faults.plane import Fault
from simulator.store.dynamodb.capacity import KEY_RANGE
from simulator.store.dynamodb.throttles import THROTTLED, Throttles
from simulator.store.moto import state as moto_state
from simulator.store.moto.scope import StoreContext
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Request, Response, Routed, json_response

Answer = Callable[[Routed], Awaitable[Response]]
_SOMEBODY = {"host": "127.0.0.1", "authorization": "AWS4-HMAC-SHA256 Credential=somebody/20260101/us-east-1/s3/x"}
_RAW_SOMEBODY = tuple((name.encode(), value.encode()) for name, value in _SOMEBODY.items())
_REFUSALS = {
    "s3-slow-down": ("SlowDown", "Please reduce your request rate.", 503),
    "s3-internal-error": ("InternalError", "We encountered an internal error. Please try again.", 500),
    "dynamodb-internal-error": ("InternalServerError", "Internal server error", 500),
    "s3 iam-denied": ("AccessDenied", "Access Denied", 403),
    "s3 credentials-expired": ("ExpiredToken", "The provided token has expired.", 400),
    "dynamodb iam-denied": ("AccessDeniedException", "User is not authorized to perform this action", 400),
    "dynamodb credentials-expired": ("ExpiredTokenException", "The security token included in the request is expired",
                                     400),
}  # fmt: skip
_WRITES = ("Put", "Update", "Delete")


@dataclass(slots=True)
class Faulty:
    """The faults at one store's calls. `answer` answers a request without any, `now` one that cannot wait.

    `late` calls have yet to take effect.
    """

    store: StoreContext
    throttles: Throttles
    answer: Answer
    now: Callable[[Routed], Response]
    late: int = 0
    _used: WeakKeyDictionary[Any, str] = field(default_factory=WeakKeyDictionary)
    _dead: WeakKeyDictionary[Any, bool] = field(default_factory=WeakKeyDictionary)

    def strikes(self, routed: Routed) -> Callable[[], Awaitable[Response]] | None:
        """How to answer a request that a fault strikes; None: like every other."""
        plane, request = self.store.plane, routed.request
        if plane.is_calm or routed.operation == "ReceiveMessage":  # which is decided once there is something to receive
            return None
        caller = principal_of(request.headers.get("x-amz-security-token", ""))
        if caller is NOBODY and routed.service != "sqs":
            return None
        was_used = False
        if request.connection is not None:
            if self._dead.pop(request.connection, False):
                return _broken
            was_used = request.connection in self._used
            self._used[request.connection] = caller.environment
        at = self.store.clock.now()
        fault = plane.at(f"{routed.service}.{routed.operation}", at, **caller._asdict())
        if fault is None:
            return None
        if fault.kind == "lambda-frozen":
            return self._frozen(routed, caller, was_used)
        return partial(self._struck, fault, routed)

    def _frozen(self, routed: Routed, caller: Principal, was_used: bool) -> Callable[[], Awaitable[Response]] | None:
        """All connections that the environment had are dead; a new one works."""
        for connection, environment in self._used.items():
            if environment == caller.environment and connection is not routed.request.connection:
                self._dead[connection] = True
        return _broken if was_used else None

    async def _struck(self, fault: Fault, routed: Routed) -> Response:
        service, kind, argument = routed.service, fault.kind, fault.argument
        refusal = _REFUSALS.get(kind) or _REFUSALS.get(f"{service} {kind}")
        if refusal is not None:
            code, message, status = refusal
            raise AwsError(code, message, status=status)
        what = kind.removeprefix(f"{service}-")
        if what in ("no-answer", "delete-lost"):
            await self.store.clock.sleep(argument)
            return await _broken()
        if what in ("answer-lost", "delete-answer-lost"):
            await self.answer(routed)
            await self.store.clock.sleep(argument)
            return await _broken()
        if what == "slow":
            await self.store.clock.sleep(argument)
            return await self.answer(routed)
        act: Callable[[Routed, float], Awaitable[Response]] = getattr(self, f"_{what.replace('-', '_')}")
        return await act(routed, argument)

    async def _cut_short(self, routed: Routed, share: float) -> Response:
        response = await self.answer(routed)
        if response.status not in (200, 206):
            return response
        return replace(response, breaks_after=int(len(response.body) * share))

    async def _gone(self, routed: Routed, _: float) -> Response:
        await self._by_somebody(routed, "DELETE", "DeleteObject", b"")
        return await self.answer(routed)

    async def _replaced(self, routed: Routed, _: float) -> Response:
        """Put what the first other object of its folder holds, or the same again."""
        bucket_name, raw_key = routed.request.bucket_and_key
        bucket = moto_state.buckets(routed.home).get(bucket_name)
        key = unquote(raw_key)
        if bucket is not None and key in bucket.keys:
            folder = key.rpartition("/")[0] + "/"
            readable = [name for name, held in bucket.keys.items() if hasattr(held, "value")]  # no delete markers
            others = sorted(name for name in readable if name.startswith(folder) and name != key)
            if others or key in readable:
                content = bytes(bucket.keys[others[0] if others else key].value)
                await self._by_somebody(routed, "PUT", "PutObject", content)
        return await self.answer(routed)

    async def _by_somebody(self, routed: Routed, method: str, operation: str, body: bytes) -> None:
        target = quote(unquote(routed.request.path), safe="/~")
        request = Request(method, target, _SOMEBODY, _RAW_SOMEBODY, body)
        request_id = self.store.requests.uuid()
        await self.answer(
            routed._replace(request=request, operation=operation, request_id=request_id, access_key="somebody")
        )

    async def _throttled(self, routed: Routed, _: float) -> Response:
        if routed.operation.startswith(_WRITES) or "Write" in routed.operation:
            return await self._throttled_some(routed, 1.0)
        raise AwsError("ProvisionedThroughputExceededException", THROTTLED[KEY_RANGE])

    async def _throttled_some(self, routed: Routed, share: float) -> Response:
        with self.throttles.refusing(share):
            return self.now(routed)

    async def _applied_late(self, routed: Routed, late_s: float) -> Response:
        self._later(routed, late_s)
        return await _broken()

    def _later(self, routed: Routed, late_s: float) -> None:
        self.late += 1
        asyncio.get_running_loop().call_later(late_s, self._at_last, routed)

    def _at_last(self, routed: Routed) -> None:
        self.late -= 1
        with suppress(AwsError):  # nobody waits for the answer
            self.now(routed)

    async def _damaged(self, routed: Routed, _: float) -> Response:
        response = await self.answer(routed)
        return replace(response, body=response.body[: len(response.body) // 2])

    async def _delete_failed(self, routed: Routed, _: float) -> Response:
        entries = (routed.parameters or {}).get("Entries")
        if routed.operation != "DeleteMessageBatch" or not isinstance(entries, list) or routed.is_query:
            raise AwsError("InternalError", "We encountered an internal error. Please try again.", status=500)
        failed = [
            {"Id": each["Id"], "Code": "InternalError", "Message": "internal error", "SenderFault": False}
            for each in entries
        ]
        return json_response(routed, orjson.dumps({"Successful": [], "Failed": failed}))

    async def _visibility_late(self, routed: Routed, late_s: float) -> Response:
        """The answer says that it is done; it is done later."""
        self._later(routed, late_s)
        entries = (routed.parameters or {}).get("Entries")
        if routed.operation == "ChangeMessageVisibility" or not isinstance(entries, list):
            return json_response(routed, b"{}")
        done = [{"Id": each["Id"]} for each in entries]
        return json_response(routed, orjson.dumps({"Successful": done, "Failed": []}))


async def _broken() -> Response:
    return Response(0, breaks_after=-1)
