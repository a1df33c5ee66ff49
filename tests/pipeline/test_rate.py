"""The adaptive write rate, as arithmetic."""

from __future__ import annotations

from pipeline.rate import BURST_S, DECREASE, MINIMUM_RATE, QUIET_S, REACTION_S, WriteRate


def drive(rate: WriteRate, capacity: float, seconds: float, demand: float = 1e9) -> tuple[float, float]:
    """Send 25 rows at a time to a table that takes `capacity` rows per second; returns (taken, refused) per second.

    The table's token bucket holds one second's worth.
    """
    now = taken = refused = 0.0
    tokens, filled_at, sent = capacity, 0.0, 0.0
    while now < seconds:
        now = max(now + rate.wait_s(25, now), sent / demand)
        tokens, filled_at = min(capacity, tokens + (now - filled_at) * capacity), now
        sent += 25
        if tokens >= 25:
            tokens -= 25
            taken += 25
            rate.taken(25, now)
        else:
            refused += 25
            rate.refused(now)
            now += 0.01
        now += 0.0005
    return taken / seconds, refused / seconds


def test_nothing_is_limited_until_the_table_refuses():
    """A healthy table is written to as fast as it answers."""
    rate = WriteRate()

    assert [rate.wait_s(25, now / 1000) for now in range(1000)] == [0.0] * 1000
    assert rate.rows_per_s is None


def test_the_rate_settles_at_what_the_table_takes():
    """Nearly all of the capacity is used, and only a small share of the rows is refused."""
    for capacity in (500.0, 4000.0, 20_000.0):
        taken, refused = drive(WriteRate(), capacity, 60.0)

        assert taken > 0.75 * capacity
        assert refused < 0.15 * taken


def test_a_refusal_cuts_and_time_adds():
    """The rate decreases multiplicatively once per burst, and increases additively each second."""
    rate = WriteRate()
    for i in range(200):
        rate.taken(25, i * 0.01)
    rate.refused(2.0)
    cut = rate.rows_per_s
    assert cut is not None
    rate.refused(2.1)
    assert rate.rows_per_s == cut
    assert cut < 2500

    rate.wait_s(25, 2.5)
    first = rate.rows_per_s
    rate.wait_s(25, 3.0)

    assert first is not None
    assert rate.rows_per_s is not None
    assert rate.rows_per_s - first == first - cut > 0


def test_refused_for_good_the_rate_stays_above_its_minimum():
    """One request per second is always sent, so that a table that recovers is noticed."""
    rate = WriteRate()
    for i in range(100):
        rate.refused(float(i))

    assert rate.rows_per_s == MINIMUM_RATE == 25
    assert rate.wait_s(25, 100.0) <= 1.0


def test_a_limit_far_above_the_demand_ceases():
    """After a quiet time nothing is left of one bad moment."""
    rate = WriteRate()
    rate.refused(0.0)
    now = 0.0
    while now < 20 * QUIET_S and rate.rows_per_s is not None:
        now += 1.0
        rate.wait_s(25, now)
        rate.taken(25, now)

    assert rate.rows_per_s is None


def test_a_maximum_holds_from_the_first_row_on():
    """A table with room for more is written to at the maximum and no faster, however long it has refused nothing."""
    taken, refused = drive(WriteRate(800.0), 4000.0, 10 * QUIET_S)

    assert refused == 0
    assert 0.95 * 800 < taken < 1.02 * 800


def test_refusals_close_together_are_one_and_later_ones_another():
    """What was in flight before the first answer does not count; after the reaction time a refusal does."""
    for later_s, cuts in ((REACTION_S - 0.001, 1), (REACTION_S, 2)):
        rate = WriteRate()
        for i in range(200):
            rate.taken(25, i * 0.01)
        rate.refused(10.0)
        first = rate.rows_per_s
        rate.refused(10.0 + later_s)
        assert (rate.rows_per_s == first) == (cuts == 1)


def test_a_cut_is_a_share_of_what_the_table_took():
    """After 1,000 rows in a second, a refusal means 700 per second."""
    for begin in (0.0, 1000.0):
        rate = WriteRate()
        for i in range(41):
            rate.taken(25, begin + i * 0.025)
        rate.refused(begin + 1.0)

        assert rate.rows_per_s == 1000 * DECREASE


def test_unused_time_is_made_up_for_to_a_bound():
    """After a long silence, a tenth of a second's rows are sent at once, and the next wait."""
    rate = WriteRate(1000.0)

    waits = [rate.wait_s(25, 50.0) for _ in range(8)]

    assert waits[:5] == [0.0] * 5
    assert [round(wait, 9) for wait in waits[5:]] == [0.025, 0.05, 0.075]
    assert BURST_S * 1000.0 / 25 == 4


def test_a_maximum_is_never_exceeded_and_never_ceases():
    """It applies even if the table never refused, and is the same after a refusal."""
    rate = WriteRate(500.0)
    rate.refused(0.0)
    assert rate.rows_per_s == 2 * MINIMUM_RATE * DECREASE
    for second in range(1, 60):
        rate.wait_s(25, float(second))
        assert rate.rows_per_s is not None
        assert MINIMUM_RATE < rate.rows_per_s <= 500.0
    assert rate.rows_per_s == 500.0


def test_a_limit_holds_until_it_is_far_above_the_demand():
    """With a demand of 100 rows per second, a cut to 70 grows by 25 per second, and is lifted above 400, not before."""
    rate = WriteRate()
    for tenth in range(11):
        rate.taken(10, 1000.0 + tenth / 10)
    rate.refused(1001.0)
    assert rate.rows_per_s == 100 * DECREASE
    second = 0
    while rate.rows_per_s is not None and second < 60:
        second += 1
        rate.wait_s(100, 1001.0 + second)
        rate.taken(100, 1001.0 + second)

    assert second == 14


def refused_after(rows: int, since: float, now: float) -> WriteRate:
    """A rate that saw the table take this many rows at one instant, and refuse at a later one."""
    rate = WriteRate()
    rate.taken(rows, since)
    rate.refused(now)
    return rate


def test_what_a_refusal_cuts_is_measured_over_the_time_since_the_window_began():
    """1,000 rows within half a second or nearly two seconds count; two seconds later nothing is known any more."""
    assert refused_after(1000, 50.0, 50.5).rows_per_s == 1000 / 0.5 * 0.7
    assert refused_after(1000, 50.0, 51.75).rows_per_s == 1000 / 1.75 * 0.7
    assert refused_after(1000, 50.0, 52.0).rows_per_s == 25
    assert refused_after(1000, 50.0, 52.5).rows_per_s == 25


def test_a_refusal_at_once_counts_a_quarter_of_a_second():
    """Rows taken in the same instant do not prove an infinite rate."""
    assert refused_after(100, 50.0, 50.0).rows_per_s == 100 / 0.25 * 0.7


def test_a_window_counts_if_rows_followed_within_two_seconds():
    """A longer gap shows that there was no demand, not what the table takes."""
    for now, expected in ((51.75, 1000 / 1.75 * 0.7), (52.0, 25), (52.5, 25)):
        rate = WriteRate()
        rate.taken(1000, 50.0)
        rate.taken(1, now)
        rate.refused(now)
        assert rate.rows_per_s == expected


def test_each_second_adds_a_twentieth_of_the_best():
    """The step depends on the most that the table ever took in a second; a pause adds at most one second's step."""
    rate = refused_after(500, 50.0, 50.5)
    assert rate.rows_per_s == 700
    rate.wait_s(25, 51.5)
    assert rate.rows_per_s == 750
    rate.wait_s(25, 54.5)
    assert rate.rows_per_s == 800


def test_the_best_second_is_remembered():
    """A table that took 1,000 rows per second before it slowed down is tried in the same steps as then."""
    rate = WriteRate()
    for second, rows in enumerate((1000, 100, 100)):
        rate.taken(rows, 50.0 + second)
    rate.refused(53.0)
    assert rate.rows_per_s == 100 * 0.7
    rate.wait_s(25, 54.0)
    assert rate.rows_per_s == 100 * 0.7 + 50


def test_after_a_refusal_nothing_is_made_up_for():
    """The time before it was not unused."""
    rate = refused_after(500, 50.0, 50.5)
    assert [round(rate.wait_s(7, 50.5), 9) for _ in range(3)] == [0.0, 0.01, 0.02]


def test_a_limit_ceases_after_ten_seconds_above_four_times_the_demand():
    """The limit stays in the tenth second, and at exactly four times the least demand."""
    rate = WriteRate()
    rate.refused(50.0)
    for second in range(51, 61):
        rate.wait_s(25, second)
    assert rate.rows_per_s == 25 + 10 * 25
    assert rate.wait_s(25, 60.5) == 0.0
    assert rate.rows_per_s is None

    rate = WriteRate()
    rate.refused(50.0)
    for second in (59, 60, 61):
        rate.wait_s(25, second)
    assert rate.rows_per_s == 100
    rate.wait_s(25, 62)
    assert rate.rows_per_s is None


def test_a_limit_near_the_demand_stays():
    """While a quarter of it is used, a refusal is to be expected."""
    rate = refused_after(500, 50.0, 50.5)
    for second in range(51, 70):
        rate.taken(1000, second)
        rate.wait_s(1000, second)
    assert rate.rows_per_s is not None


def test_the_first_row_does_not_wait():
    """It holds whatever the clock shows at the beginning."""
    assert WriteRate(500.0).wait_s(25, 0.0) == 0.0
