"""What can go wrong with one message, by how it is handled, and what an error of a client means."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError


class MessageFailure(Exception):
    """The message fails, for this reason. `permanent`: another delivery cannot mend it.

    `setting` is the environment variable that might, None where none would.
    """

    def __init__(self, reason: str, *, permanent: bool, setting: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.setting = setting


class ObjectGone(Exception):
    """The key no longer exists: there is nothing to do, and the message is done."""


class ObjectSkipped(Exception):
    """The object is not data, such as a folder's marker or what a writer leaves beside its files: nothing to do."""


class OutOfTime(MessageFailure):
    """The invocation's time is up; what is stored stays stored, and the next delivery does the rest."""

    def __init__(self) -> None:
        super().__init__("no time left in this invocation", permanent=False)


def answered(error: ClientError | BotoCoreError) -> tuple[str, str, int]:
    """Code, message and HTTP status of the error that AWS answered with; empty where no answer came."""
    if not isinstance(error, ClientError):
        return "", "", 0
    detail = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return detail.get("Code", ""), detail.get("Message", ""), status


def is_permanent(error: ClientError | BotoCoreError) -> bool:
    """Whether AWS says that the request itself is wrong, or there was none to send: another attempt is no use."""
    if not isinstance(error, ClientError):
        return not isinstance(error, HTTPClientError | NoConnectionError)
    code, _, status = answered(error)
    return status < 500 and status != 429 and code not in ("RequestTimeout", "SlowDown", "ExpiredToken")
