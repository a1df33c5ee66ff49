"""How one message can fail, grouped by how the failure is handled, and what a client's error means."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError


class MessageFailure(Exception):
    """The message fails, for this reason. `permanent`: another delivery will not help.

    `setting` is the environment variable that might fix it, None where none would.
    """

    def __init__(self, reason: str, *, permanent: bool, setting: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.setting = setting


class ObjectGone(Exception):
    """The key no longer exists: there is nothing to do, and the message is done."""


class ObjectSkipped(Exception):
    """The object is not data, such as a folder marker or a file that a writer leaves beside its output."""


class OutOfTime(MessageFailure):
    """The invocation's time is up. Stored rows stay stored, and the next delivery does the rest."""

    def __init__(self) -> None:
        super().__init__("no time left in this invocation", permanent=False)


def answered(error: ClientError | BotoCoreError) -> tuple[str, str, int]:
    """Code, message and HTTP status of AWS's error answer; empty if no answer came."""
    if not isinstance(error, ClientError):
        return "", "", 0
    detail = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return detail.get("Code", ""), detail.get("Message", ""), status


def is_permanent(error: ClientError | BotoCoreError) -> bool:
    """Whether a retry cannot help: AWS says that the request itself is wrong, or no request could be built."""
    if not isinstance(error, ClientError):
        return not isinstance(error, HTTPClientError | NoConnectionError)
    code, _, status = answered(error)
    return status < 500 and status != 429 and code not in ("RequestTimeout", "SlowDown", "ExpiredToken")
