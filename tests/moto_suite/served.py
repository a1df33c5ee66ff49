"""The store's application, plus what moto's tests need and the store lacks, on one port.

Run it as `python -m moto_suite.served PORT`. moto answers `/moto-api/...` and the services that the store does not
serve; a reset creates the store anew.
"""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import version

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app

from simulator.base.clock import SystemClock
from simulator.store.front import application, server
from simulator.store.front.application import FASTER, STRICTER, Application
from simulator.store.moto import state as moto_state
from simulator.store.moto.application import SERVICES, MotoApplication
from simulator.store.moto.replacement import install
from simulator.store.moto.scope import SCOPE, RequestScope, StoreContext
from simulator.store.wire.messages import Request, Response, Routed
from simulator.store.wire.routing import route

SEED = "moto's tests"
# moto's control of S3 is another service with the same name in its signatures.
S3_CONTROL = "/v20180820/"


class Served:
    """Answers like the store, and like moto where the store has no answer."""

    def __init__(self, port: int) -> None:
        self._active = install((*FASTER, *STRICTER), version("moto"))
        self._moto = MotoApplication(port, SEED)
        self._rest = DomainDispatcherApplication(create_backend_app)
        self._store, self._application = self._new()

    def _new(self) -> tuple[StoreContext, Application]:
        store = StoreContext.of(SystemClock(), SEED, strict=True)
        return store, Application(store, self._moto.call, self._active, rates=False)

    async def answer(self, request: Request) -> Response:
        """The response to one request."""
        routed = route(request, self._store.requests)
        if request.path.startswith("/moto-api/"):
            response = self._by_moto(routed)
            # A reset creates moto's backends anew.
            moto_state.backend.cache_clear()
            self._store, self._application = self._new()
            return response
        if routed.service not in SERVICES or request.path.startswith(S3_CONTROL):
            return self._by_moto(routed)
        return await self._application.answer(request)

    def _by_moto(self, routed: Routed) -> Response:
        token = SCOPE.set(RequestScope(self._store, routed))
        try:
            environ = self._moto.environ(routed)
            chunks, status, headers = run_wsgi_app(self._rest, environ, buffered=True)
            return Response(int(status.split(" ", 1)[0]), b"".join(chunks), list(headers))
        finally:
            SCOPE.reset(token)


def main() -> None:
    """Serve until standard input ends."""
    port = int(sys.argv[1])

    def assemble(*_arguments: object, **_named: object) -> Served:
        return Served(port)

    application.assemble = assemble  # type: ignore[assignment]
    asyncio.run(server.serve(port, SEED, capacity="unlimited", strict=True))


if __name__ == "__main__":
    main()
