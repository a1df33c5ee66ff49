"""What must hold in the end. Each is true without a fault, whichever of its handlers runs."""

from __future__ import annotations

import hashlib
from typing import Any


def _rows(app: Any) -> dict[str, Any]:
    return {item["id"]: item for item in app.table("Table").items()}


def _objects(bucket: Any) -> dict[str, str]:
    keys = bucket.keys()
    return {key: bucket.get(key).decode() for key in keys}


def _texts(app: Any) -> dict[str, str]:
    return _objects(app.bucket("Drop"))


def nothing_is_given_up(app: Any) -> None:
    """Whatever else must hold."""
    assert not app.dead_letters()


def every_line_has_its_row(app: Any) -> None:
    """No line is lost, and there is none that nobody wrote."""
    lines = {f"{key}/{n}": line for key, text in _texts(app).items() for n, line in enumerate(text.splitlines())}
    assert {identity: row["line"] for identity, row in _rows(app).items()} == lines


def every_object_is_in_the_archive(app: Any) -> None:
    """They were moved there."""
    assert (app.bucket("Archive").keys(), app.bucket("Drop").keys()) == (["in/a"], [])


def what_is_called_archived_is(app: Any) -> None:
    """And every object that is there is called so."""
    archived = app.bucket("Archive").keys()
    assert set(archived) == set(_rows(app)) >= set(_texts(app))


def every_text_was_one_of_an_object(app: Any) -> None:
    """And the last text of each object is among them."""
    texts = {row["text"] for row in _rows(app).values()}
    assert set(_texts(app).values()) <= texts <= {"first!", "other?"}


def every_row_is_about_the_newest_object(app: Any) -> None:
    """Its ETag is that of the object that is there."""
    etags = {key: hashlib.md5(text.encode()).hexdigest() for key, text in _texts(app).items()}
    assert {identity: row["etag"] for identity, row in _rows(app).items()} == etags


def each_object_counts_once(app: Any) -> None:
    """Each was put once."""
    assert {identity: row["times"] for identity, row in _rows(app).items() if "times" in row} == dict.fromkeys(
        _texts(app), 1
    )


def each_tick_counts_once(app: Any) -> None:
    """There were two."""
    assert _rows(app)["ticks"]["times"] == 2


def the_job_counts_once(app: Any) -> None:
    """There was one, and it is not in the backlog any more."""
    assert _rows(app)["job"]["times"] == 1
    assert not app.queue("Backlog").messages()


def the_latest_tick_is_kept(app: Any) -> None:
    """The second one of two."""
    assert _rows(app)["tick"]["due"] == "2026-01-01T00:01:00Z"


def each_tick_has_its_object(app: Any) -> None:
    """One each, of two."""
    assert sorted(_objects(app.bucket("Archive")).values()) == ["2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"]


def the_last_step_is_kept(app: Any) -> None:
    """The second or third, as many as were sent."""
    assert int(_rows(app)["steps"]["step"]) == 3


def the_second_step_is_kept(app: Any) -> None:
    """The second one of two."""
    assert int(_rows(app)["steps"]["step"]) == 2


def every_order_is_stored_and_gone(app: Any) -> None:
    """None is left in the backlog."""
    assert set(_rows(app)) == {"apples", "pears", "plums"}
    assert not app.queue("Backlog").messages()


def the_sum_is_right(app: Any) -> None:
    """It is the one of all numbers in all objects."""
    assert int(_rows(app)["sum"]["times"]) == sum(map(int, _texts(app).values()))


def the_work_is_done(app: Any) -> None:
    """And its row says so."""
    assert {identity: row["state"] for identity, row in _rows(app).items()} == dict.fromkeys(_texts(app), "done")
