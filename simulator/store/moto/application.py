"""moto's own WSGI applications, called in this process: every request without a fast path ends here.

Only the pipeline's services are served: S3, SQS, DynamoDB with its streams, and STS, so that tools that look up their
own identity get an answer. Importing moto is slow: nothing here does it before a `MotoApplication` is made.
"""

from __future__ import annotations

import io
import sys
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import setup_testing_defaults

from simulator.base.chance import Seed
from simulator.store.moto.scope import SCOPE
from simulator.store.wire.messages import Response, Routed, header_text

SERVICES = ("s3", "sqs", "dynamodb", "dynamodbstreams", "sts")


class LeftToMoto(Exception):
    """Raised by code that answers without moto, before it changes anything: moto must answer this request."""

    @classmethod
    def when(cls, unusual: object) -> None:
        """Raise it if the request is unusual."""
        if unusual:
            raise cls


class LeftOn:
    """A block that raises `LeftToMoto` in place of these errors: moto says in its own words what is wrong."""

    def __init__(self, *errors: type[Exception]) -> None:
        self._errors = errors

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, self._errors):
            raise LeftToMoto from None


class MotoApplication:
    """Calls the WSGI application of one service; `port` is what moto writes into the URLs that it returns.

    Random values that moto itself makes, such as the ids of messages with attributes, come from `seed`.
    """

    def __init__(self, port: int, seed: Seed) -> None:
        from moto.moto_api._internal import mock_random

        self._port = port
        mock_random.seed(f"{seed}/store/moto")
        load()

    def call(self, routed: Routed) -> Response:
        """Let moto answer. Never raises for a request: if moto itself fails, the answer is a 500 like AWS's."""
        from werkzeug.test import run_wsgi_app

        environ = self.environ(routed)
        chunks, status, headers = run_wsgi_app(_application(routed.service), environ, buffered=True)
        named = [(name, header_text(value)) for name, value in headers]
        return Response(int(status.split(" ", 1)[0]), b"".join(chunks), named)

    def environ(self, routed: Routed) -> dict[str, Any]:
        """The request in WSGI's form."""
        request = routed.request
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            # WSGI represents the bytes of the path as Latin-1 text.
            "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
            "RAW_URI": request.target,
            "QUERY_STRING": request.query_text,
            "SERVER_PORT": str(self._port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.errors": sys.stderr,
        }
        preserved: dict[str, str] = {}
        for raw_name, raw_value in request.raw_headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            lowered = name.lower()
            if lowered in ("content-length", "transfer-encoding", "expect"):
                continue
            key = name.upper().replace("-", "_")
            if key != "CONTENT_TYPE":
                key = "HTTP_" + key
            if "_" in name and lowered.startswith("x-amz-meta-"):
                preserved[key] = name
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        # moto trusts this header before the signature, and does not look at a signature in a query.
        environ["HTTP_USER_AGENT"] = f"region/{routed.home.region} {environ.get('HTTP_USER_AGENT', '')}"
        scope = SCOPE.get(None)
        if scope is not None and scope.store.strict and routed.service == "s3" and not routed.access_key:
            # What anyone may do was decided before; moto's own policy check does not know HeadObject, for one.
            environ["HTTP_AUTHORIZATION"] = (
                f"AWS4-HMAC-SHA256 Credential=/19700101/{routed.home.region}/s3/aws4_request"
            )
        environ["CONTENT_LENGTH"] = str(len(request.body))
        environ["moto.preserved_header_names"] = preserved
        # The rest of what PEP 3333 requires: the server's name, and which threads and processes there are.
        setup_testing_defaults(environ)
        return environ


def load() -> None:
    """Load the services that every run needs, so that the first request does not pay for it."""
    import moto.iam.models  # noqa: F401 - which knows the owner of an access key
    from moto.core.utils import get_service_model

    for service in SERVICES[:3]:
        _application(service)
        get_service_model(service)


@cache
def _application(service: str) -> Any:
    from moto.moto_server.werkzeug_app import create_backend_app

    application = create_backend_app(service)  # type: ignore[arg-type]
    # In debug mode Flask would raise errors through to the server instead of answering.
    application.debug = False
    application.config["PROPAGATE_EXCEPTIONS"] = False
    return application
