"""AWS for the deployment's tests: it answers from a list, and checks every request against botocore's model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from fakes.clock import InstantClock
from simulator.base.clock import Clock

_SESSION = botocore.session.Session()
Call = tuple[str, dict[str, Any]]


def refusal(code: str, message: str = "", operation: str = "Operation", http: int = 400) -> ClientError:
    """An error of AWS."""
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": http}}
    return ClientError(answer, operation)


class ScriptedClient:
    """A client of one service: answers by operation, one or a list whose last member repeats; errors are raised."""

    def __init__(self, service: str, calls: list[Call] | None = None, **answers: Any) -> None:
        self.calls = [] if calls is None else calls
        self._model = _SESSION.get_service_model(service)
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def call(**request: Any) -> Any:
            return self._answer(name, request)

        return call

    def get_paginator(self, name: str) -> ScriptedPaginator:
        """A paginator whose pages are the answers."""
        return ScriptedPaginator(lambda request: self._answer(name, request))

    def names(self) -> list[str]:
        """The operations in the order of the calls."""
        return [name for name, _ in self.calls]

    def _answer(self, name: str, request: dict[str, Any]) -> Any:
        operation = "".join(word.capitalize() for word in name.split("_"))
        shape = self._model.operation_model(operation).input_shape
        assert shape is not None
        validate_parameters(request, shape)
        self.calls.append((name, request))
        answer = self._answers.get(name, {})
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


class ScriptedPaginator:
    """One page per answer; an answer may name the next."""

    def __init__(self, answer: Callable[[dict[str, Any]], Any]) -> None:
        self._answer = answer

    async def paginate(self, **request: Any) -> AsyncIterator[Any]:
        """The pages; botocore decides their size."""
        request.pop("PaginationConfig", None)
        yield (page := self._answer(request))
        while token := page.get("NextToken"):
            yield (page := self._answer({**request, "NextToken": token}))


class ScriptedAws:
    """All services with scripted answers by operation. Every call of every service is in `calls`, in order."""

    region, account, caller = "eu-central-1", "123456789012", "arn:aws:iam::123456789012:user/u"

    def __init__(self, endpoint_url: str | None = None, clock: Clock | None = None, **answers: Any) -> None:
        self.endpoint_url = endpoint_url
        self.clock = clock or InstantClock()
        self.calls: list[Call] = []
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        service = {"functions": "lambda"}.get(name, name)

        async def client() -> ScriptedClient:
            return ScriptedClient(service, self.calls, **self._answers)

        return client

    def names(self) -> list[str]:
        """The operations in the order of the calls."""
        return [name for name, _ in self.calls]
