"""The story of a world: what was observed and called, in the order of time, in as few lines as are needed."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from simulator.base.observations import (
    EnvironmentStarted,
    FaultStruck,
    InvocationEnded,
    InvocationStarted,
    InvocationThrottled,
    LogWritten,
    MessageSettled,
    ObjectPut,
    TickFired,
)
from simulator.explore.case import STARTS_AT, WorldCase
from simulator.explore.telling import MOST_LINES, Line, Teller, argument_text, said
from simulator.faults import kinds
from simulator.run.sources import TimedPut
from simulator.store.wire.messages import Request, Response
from simulator.world.store import Call

TEST_EVENT = '{"Service":"Amazon S3","Event":"s3:TestEvent"}'


def told(*happened: Any, case: WorldCase | None = None) -> tuple[Line, ...]:
    """The lines of a story."""
    teller = Teller(case or WorldCase(1, 600.0))
    for each in happened:
        if isinstance(each, Call):
            teller.call(each)
        else:
            teller.record(each)
    return teller.story("it is lost").lines


def shown(*happened: Any, case: WorldCase | None = None) -> list[tuple[float, str, str]]:
    """The same, only when, where and what."""
    return [(line.at_s, line.lane, line.text) for line in told(*happened, case=case)]


def body_of(*keys: str) -> str:
    """A notification."""
    return json.dumps({"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": key}}} for key in keys]})


def settled(at: float, reason: str = "success", times: int = 1, body: str | None = None) -> MessageSettled:
    """The outcome of a delivery that was received two seconds before."""
    begun, text = STARTS_AT + at - 2, body_of("a.csv") if body is None else body
    deleted = reason == "success"
    return MessageSettled(
        STARTS_AT + at, "M", "StockQueue", "id-1234567890", text, begun, begun, times, deleted, reason
    )


def started(at: float, messages: int = 1, *, cold: bool = False, number: int = 1) -> InvocationStarted:
    """An invocation begins."""
    return InvocationStarted(STARTS_AT + at, "Consumer", number, "r", messages, cold)


def ended(at: float, outcome: Any = "success", messages: int = 1, number: int = 1) -> InvocationEnded:
    """An invocation ends."""
    return InvocationEnded(STARTS_AT + at, "Consumer", number, "r", messages, outcome, 1.0, None, None, None, None)


def struck(at: float, site: str, kind: str, argument: float = 0.0) -> FaultStruck:
    """A fault strikes."""
    return FaultStruck(STARTS_AT + at, site, 0, kind, argument)


def s3(at: float, key: str = "a.csv", status: int = 200, function: str = "Consumer", **response: Any) -> Call:
    """A call to read an object."""
    request = Request("GET", f"/bucket/{key}", {"host": "localhost"}, (), b"")
    return Call(STARTS_AT + at, function, "E", request, Response(status, **response))


def batch_write(at: float, rows: int = 3, left: int = 0, status: int = 200, answer: bytes | None = None) -> Call:
    """A call to write rows, of which some are left unprocessed."""
    put = {"PutRequest": {"Item": {"PK": {"S": "x"}}}}
    headers = {"x-amz-target": "DynamoDB_20120810.BatchWriteItem", "content-type": "application/x-amz-json-1.0"}
    request = Request("POST", "/", headers, (), orjson.dumps({"RequestItems": {"T": [put] * rows}}))
    body = orjson.dumps({"UnprocessedItems": {"T": [put] * left} if left else {}}) if answer is None else answer
    return Call(STARTS_AT + at, "Consumer", "E", request, Response(status, body))


# What was observed


def test_an_object_is_put_with_what_it_is() -> None:
    """As the load calls it; one that the load does not know is an object."""
    case = WorldCase(1, 600.0, (TimedPut(0.0, "a.csv", b"x", "keys-twice"),))
    put = ObjectPut(STARTS_AT, "bucket", "a.csv", 84)
    assert shown(put, case=case) == [(0.0, "S3", "a.csv is put (keys-twice, 84 bytes)")]
    assert shown(ObjectPut(STARTS_AT + 0.5, "bucket", "b.csv", 1), case=case) == [
        (0.5, "S3", "b.csv is put (object, 1 byte)")
    ]


def test_a_tick_is_told_in_the_schedules_lane() -> None:
    """People count from one."""
    assert shown(TickFired(STARTS_AT + 60, "Schedule", "Generator", 0, None)) == [
        (60.0, "Schedule", "tick 1 for Generator")
    ]


def test_an_invocation_is_told_with_its_messages_and_its_end() -> None:
    """A cold one starts, a warm one begins; a tick's has no messages, and what failed is bad."""
    assert [line[:4] for line in told(started(1, 2, cold=True), ended(2, messages=2))] == [
        (1.0, "Consumer", "environment 1 starts with 2 messages", "plain"),
        (2.0, "Consumer", "environment 1: success", "plain"),
    ]
    assert [line[:4] for line in told(started(1, 0, number=3), ended(2, "crash", 0, number=3))] == [
        (1.0, "Consumer", "environment 3 begins", "plain"),
        (2.0, "Consumer", "environment 3: crash", "bad"),
    ]


def test_a_throttled_invocation_is_told() -> None:
    """It has no environment."""
    assert told(InvocationThrottled(STARTS_AT + 1, "Consumer", "why", 1))[0][:4] == (
        1.0,
        "Consumer",
        "throttled",
        "bad",
    )


def test_a_delivery_is_its_receive_and_its_outcome() -> None:
    """Each at its own time; the second receive is called so."""
    assert [line[:4] for line in told(settled(3))] == [
        (1.0, "StockQueue", "the message of a.csv is received", "plain"),
        (3.0, "StockQueue", "the message of a.csv is deleted", "good"),
    ]
    assert [line[:4] for line in told(settled(3, "crash", times=2))] == [
        (1.0, "StockQueue", "the message of a.csv is received, 2nd time", "plain"),
        (3.0, "StockQueue", "the message of a.csv stays: crash", "bad"),
    ]


@pytest.mark.parametrize(
    ("body", "name"),
    [(body_of("a.csv", "b.csv"), "a.csv, b.csv"), (body_of("a+b%3D.csv"), "a b=.csv"), ('{"order": 1}', "id-12345")],
)
def test_a_message_is_called_by_its_objects(body: str, name: str) -> None:
    """All of them, decoded; one that is about no object by the beginning of its id."""
    assert shown(settled(3, body=body))[0][2] == f"the message of {name} is received"


def test_what_is_of_no_interest_is_not_told() -> None:
    """Lines of a log, environments and messages are not events of the story."""
    assert told(EnvironmentStarted(STARTS_AT, "F", 1, 0.5), LogWritten(STARTS_AT, "F", 1, "hello")) == ()


def test_a_long_key_is_shortened_in_front() -> None:
    """Its end tells objects apart; at 48 characters it is whole."""
    for length, begins in ((48, "k"), (49, "…")):
        (line,) = told(ObjectPut(STARTS_AT, "b", "k" * (length - 4) + ".csv", 1))
        key = line.text.partition(" is put")[0]
        assert (len(key), key[0], key[-4:]) == (48, begins, ".csv")


def test_text_from_outside_is_made_visible() -> None:
    """No line has a control character, nor has the end."""
    (line,) = told(ObjectPut(STARTS_AT, "b", "a\x1b[31m\n.csv", 1))
    assert line.text.isprintable()
    assert Teller(WorldCase(1, 1.0)).story("it\nis\x1b").end.isprintable()


# S3's test event


def test_the_test_event_and_its_invocation_are_left_out() -> None:
    """It is nobody's business; what happens at another time stays."""
    happened = (started(1), ended(3), settled(3, body=TEST_EVENT), started(5), ended(6), settled(6))
    assert shown(*happened) == shown(started(5), ended(6), settled(6))


def test_an_invocation_with_more_than_the_test_event_stays() -> None:
    """Only the message is left out."""
    happened = (started(1, 2), ended(3, messages=2), settled(3, body=TEST_EVENT), settled(3))
    assert shown(*happened) == shown(started(1, 2), ended(3, messages=2), settled(3))


# Faults


def test_a_fault_is_told_where_it_strikes() -> None:
    """In the lane of the service, the function or the schedule."""
    lanes = {
        ("s3.GetObject", "s3-slow-down"): "S3",
        ("s3.notification", "notification-late"): "S3",
        ("sqs.ReceiveMessage", "sqs-out-of-order"): "SQS",
        ("dynamodb.BatchWriteItem", "dynamodb-damaged"): "DynamoDB",
        ("invoke.Consumer", "lambda-crash"): "Consumer",
        ("init.Consumer", "lambda-init-failed"): "Consumer",
        ("tick.Schedule", "tick-twice"): "Schedule",
    }
    for (site, kind), lane in lanes.items():
        (line,) = told(struck(1, site, kind, 1.0))
        assert (line.lane, line.tone) == (lane, "fault")
        assert line.text.startswith(f"FAULT {kind}: ")
        assert line.text.endswith(f" ({site})")


@pytest.mark.parametrize(
    ("kind", "argument", "text"),
    [
        ("s3-gone", 0.0, ""),
        ("s3-slow", 0.2, "200ms"),
        ("s3-slow", 7.5, "7.5s"),
        ("notification-late", 300.0, "5m"),
        ("lambda-clock-apart", -2.0, "2s"),
        ("s3-cut-short", 0.0, "0%"),
        ("s3-cut-short", 1.0, "100%"),
        ("dynamodb-throttled-some", 0.333, "33%"),
        ("lambda-crash", 1.0, "1st time"),
        ("lambda-crash", 2.0, "2nd time"),
        ("lambda-crash", 3.0, "3rd time"),
        ("lambda-crash", 4.0, "4th time"),
        ("lambda-crash", 11.0, "11th time"),
        ("lambda-crash", 12.0, "12th time"),
        ("lambda-crash", 21.0, "21st time"),
        ("lambda-crash", 113.0, "113th time"),
        ("lambda-crash", 400.0, "400th time"),
    ],
)
def test_an_argument_is_told_in_its_unit(kind: str, argument: float, text: str) -> None:
    """Seconds, shares, and the time of a wait; a kind without an argument has none."""
    assert argument_text(kinds.ALL[kind], argument) == text
    assert text in said(struck(0, kinds.ALL[kind].sites[0], kind, argument))


@pytest.mark.parametrize("kind", kinds.ALL.values(), ids=lambda kind: kind.name)
def test_each_kind_can_be_told(kind: kinds.FaultKind) -> None:
    """With no placeholder left."""
    text = said(struck(0, "site", kind.name, kind.most))
    assert text.startswith(f"{kind.name}: ")
    assert "{" not in text


# Calls


def test_a_call_is_told_with_its_object_and_status() -> None:
    """In the lane of its service; one that gets no answer says so, and the twin's own calls are not told."""
    assert shown(s3(1)) == [(1.0, "S3", "Consumer: GetObject a.csv: 200")]
    assert shown(s3(1, status=503)) == [(1.0, "S3", "Consumer: GetObject a.csv: 503")]
    assert shown(s3(1, breaks_after=-1)) == [(1.0, "S3", "Consumer: GetObject a.csv: no answer")]
    assert shown(s3(1, breaks_after=0)) == [(1.0, "S3", "Consumer: GetObject a.csv: 200")]
    assert shown(s3(1, function="")) == []


def test_a_batch_is_told_with_its_rows() -> None:
    """And those that were left unprocessed, unless nobody can know."""
    texts = {
        "Consumer: BatchWriteItem of 3 rows: 200": batch_write(1),
        "Consumer: BatchWriteItem of 1 row: 200": batch_write(1, rows=1),
        "Consumer: BatchWriteItem of 3 rows, 2 unprocessed: 200": batch_write(1, left=2),
        "Consumer: BatchWriteItem of 3 rows: 500": batch_write(1, left=2, status=500),
        "Consumer: BatchWriteItem of 2 rows: 200": batch_write(1, rows=2, answer=b"{damaged"),
    }
    for text, call in texts.items():
        assert shown(call) == [(1.0, "DynamoDB", text)]


def test_equal_calls_in_a_row_are_one_line() -> None:
    """With how many they are, at the time of the first; another call between them ends the row."""
    calls = [s3(number) for number in range(3)]
    assert shown(*calls) == [(0.0, "S3", "Consumer: GetObject a.csv: 200 (3 times)")]
    assert shown(*calls, s3(3, status=503), s3(4), s3(5)) == [
        (0.0, "S3", "Consumer: GetObject a.csv: 200 (3 times)"),
        (3.0, "S3", "Consumer: GetObject a.csv: 503"),
        (4.0, "S3", "Consumer: GetObject a.csv: 200 (2 times)"),
    ]


def test_only_calls_are_counted_together() -> None:
    """And what throttles them; two ends that read the same are two events."""
    assert len(told(started(1, 2), ended(2, "crash", 2), ended(3, "crash", 2))) == 3
    throttled = [InvocationThrottled(STARTS_AT + second, "Consumer", "why", 1) for second in range(20)]
    assert shown(*throttled) == [(0.0, "Consumer", "throttled (20 times)")]


# Order and length


def test_events_are_in_the_order_of_time() -> None:
    """However they were observed; a receive is only known with its outcome."""
    assert [line.at_s for line in told(s3(9), settled(8), started(7), ObjectPut(STARTS_AT, "b", "k", 1))] == [
        *(0.0, 6.0, 7.0, 8.0, 9.0)
    ]


def test_what_happens_at_one_instant_is_told_in_the_order_of_its_cause() -> None:
    """Put, tick, received, struck, begun, called, returned, settled."""
    happened = [
        settled(5),
        ended(5, "error", 2),
        s3(5),
        started(5, 2),
        struck(5, "invoke.Consumer", "lambda-crash", 1),
        settled(7),
        TickFired(STARTS_AT + 5, "Schedule", "F", 0, None),
        ObjectPut(STARTS_AT + 5, "b", "k", 1),
    ]
    at_5 = [line.sort for line in told(*happened) if line.at_s == 5]
    assert at_5 == ["", "tick", "receive", "fault", "begin", "call", "return", "settled"]


def test_times_count_from_the_start_in_milliseconds() -> None:
    """No digit more."""
    assert shown(s3(1.23456))[0][0] == 1.235


def test_what_fits_is_told_whole() -> None:
    """Twelve lines are not too many, and none is dull then."""
    assert [line.at_s for line in told(*(s3(number, f"{number}.csv") for number in range(12)))] == list(range(12))


@pytest.mark.parametrize("calls", [1, 5, 40])
def test_a_story_has_at_most_twelve_lines(calls: int) -> None:
    """What is too much is left out of the calls; nothing else is while there are any."""
    happened = [started(0, 2), ended(99, messages=2), *(settled(100 + number) for number in range(5))]
    lines = told(*happened, *(s3(number, f"{number}.csv") for number in range(1, calls + 1)))
    assert len(lines) == MOST_LINES == len(told(*happened))
    assert [line.sort for line in lines].count("call") == 0


def test_the_last_calls_are_kept() -> None:
    """Of a hundred, those that fit; they are nearest to what went wrong."""
    lines = told(started(0, 2), *(s3(number, f"{number}.csv") for number in range(1, 101)))
    assert [line.at_s for line in lines] == [0.0, *range(90, 101)]


def test_dull_lines_go_one_sort_after_the_other() -> None:
    """Calls, begins, returns, ticks, receives; faults, puts and outcomes stay."""
    happened = [
        *(ObjectPut(STARTS_AT + number, "b", f"{number}", 1) for number in range(4)),
        *(struck(10 + number, "s3.GetObject", "s3-slow-down") for number in range(4)),
        *(settled(20 + number) for number in range(3)),
    ]
    calls = [s3(number, f"{number}.csv") for number in range(30, 40)]
    invocations = [each for number in range(40, 60, 2) for each in (started(number, 2), ended(number + 1, messages=2))]
    sorts = [line.sort for line in told(*happened, *calls, *invocations)]
    assert sorts.count("receive") == 1
    assert sorts.count("call") == sorts.count("begin") == sorts.count("return") == 0
    assert (sorts.count(""), sorts.count("fault"), sorts.count("settled")) == (4, 4, 3)


def test_only_as_many_as_are_too_many_are_left_out() -> None:
    """Also if several lines read the same at the same instant."""
    crashes = [ended(1, "crash", 2)] * 20
    assert len(told(*crashes)) == MOST_LINES
    assert len(told(*crashes, ObjectPut(STARTS_AT, "b", "k", 1))) == MOST_LINES


def test_what_happens_again_and_again_is_told_for_the_first_time_and_the_last_ones() -> None:
    """If nothing is dull; what is different stays."""
    faults = [struck(number, "s3.GetObject", "s3-slow-down") for number in range(20)]
    assert [line.at_s for line in told(*faults)] == [0, *range(9, 20)]
    other = struck(5.5, "s3.GetObject", "s3-gone")
    assert [line.at_s for line in told(*faults, other)] == [0, 5.5, *range(10, 20)]


def test_faults_are_told_before_all_else() -> None:
    """As many as there is room for."""
    puts = [ObjectPut(STARTS_AT + number, "b", f"{number}", 1) for number in range(9)]
    faults = [struck(number, f"invoke.F{number}", "lambda-crash", 1) for number in range(20)]
    assert [line.tone for line in told(*puts, *faults)] == ["fault"] * MOST_LINES
    assert [line.tone for line in told(*puts, *faults[:5])].count("fault") == 5


def test_other_objects_than_what_it_is_about_are_left_out_first() -> None:
    """Before anything dull; if nothing is about what is said at the end, they stay."""
    happened: list[Any] = [
        *(ObjectPut(STARTS_AT + number, "b", f"{number}.csv", 1) for number in range(8)),
        *(settled(20 + number, body=body_of(f"{number}.csv")) for number in range(8)),
        started(40, 2),
    ]
    for end, keys in (("3.csv line 2 is missing", {"3.csv", "6.csv", "7.csv"}), ("a row is missing", set())):
        teller = Teller(WorldCase(1, 600.0))
        for each in happened:
            teller.record(each)
        lines = teller.story(end).lines
        assert len(lines) == MOST_LINES
        assert keys <= {line.key for line in lines}
        assert ("3.csv" in {line.key for line in lines if line.sort == "receive"}) == bool(keys)


def test_a_story_without_events_has_only_its_end() -> None:
    """Nothing happened, and it is wrong."""
    story = Teller(WorldCase(1, 600.0)).story("nothing was put")
    assert (story.lines, story.end) == ((), "nothing was put")
