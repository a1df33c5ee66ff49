"""DynamoDB's throughput as arithmetic: no clock, no store."""

from __future__ import annotations

import pytest

from simulator.store.dynamodb import capacity
from simulator.store.dynamodb.capacity import KEY_RANGE, MAXIMUM_ON_DEMAND, PROVISIONED, Refusals, Throughput


def accepted(throughput: Throughput, at: float, keys: int, writes: int) -> tuple[int, set[str]]:
    """How many of `writes` one-unit writes over `keys` partition keys are accepted at an instant; and the reasons."""
    reasons = [throughput.take(number % keys, 1, at) for number in range(writes)]
    return reasons.count(None), {reason for reason in reasons if reason is not None}


def test_a_new_on_demand_table_takes_4000_write_units_a_second() -> None:
    """On-demand capacity mode: newly created tables serve up to 4,000 write units per second."""
    table = Throughput(0.0, writes=True, provisioned=None)
    assert accepted(table, 0.0, 10, 5_000) == (4_000, {KEY_RANGE})
    assert accepted(table, 1.0, 10, 5_000) == (4_000, {KEY_RANGE})


def test_a_partition_key_takes_1000_write_units_a_second() -> None:
    """Designing partition keys: no partition accepts more than 1,000 write units per second, in any mode."""
    for provisioned in (None, 10_000):
        table = Throughput(0.0, writes=True, provisioned=provisioned)
        assert accepted(table, 0.0, 1, 3_000) == (1_000, {KEY_RANGE})
        assert accepted(table, 0.5, 1, 3_000) == (500, {KEY_RANGE})


def test_on_demand_takes_twice_a_peak_of_half_an_hour_ago() -> None:
    """On-demand capacity mode: instantly up to double the previous peak, which counts once it is 30 minutes old."""
    table = Throughput(0.0, writes=True, provisioned=None)
    for second in range(60):
        assert [table.take(key, 400, float(second)) for key in range(10)] == [None] * 10
    accepted(table, 60.0, 10, 1)
    assert table.rate(1_859.9) == 4_000
    assert table.rate(1_860.0) == 8_000
    assert accepted(table, 1_861.0, 20, 8_000)[0] == 8_000


def test_a_table_grows_from_what_it_has_left() -> None:
    """What a drained table gained at its old rate counts, and the growth is available at once."""
    table = Throughput(0.0, writes=True, provisioned=None)
    table.charge(240_000, 0.0)
    table.charge(0, 60.0)
    assert table.rate(1_859.75) == 4_000
    assert accepted(table, 1_859.75, 20, 5_000)[0] == 4_000
    assert table.rate(1_860.25) == 8_000
    assert accepted(table, 1_860.25, 20, 9_000)[0] == 2_000 + 4_000


def test_what_a_request_turned_out_to_cost_is_taken_of_what_is_there() -> None:
    """A rest fills the bucket and no more, before and after a charge."""
    table = Throughput(0.0, writes=False, provisioned=None)
    table.charge(12_000, 0.0)
    table.charge(12_000, 10.0)
    assert table.exhausted(10.0) == KEY_RANGE


def test_one_unit_is_requested_by_default() -> None:
    """A table with one unit left is not exhausted."""
    table = Throughput(0.0, writes=True, provisioned=1)
    assert table.exhausted(0.0) is None
    assert table.exhausted(0.0, units=2) == PROVISIONED


def test_partition_keys_that_rested_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory depends on the keys in use: beyond a number, full buckets are dropped, and others keep their debts."""
    monkeypatch.setattr(capacity, "_PARTITIONS_KEPT", 3)
    table = Throughput(0.0, writes=True, provisioned=None)
    for key in ("a", "b", "hot"):
        table.charge(1_000, 0.0, key)
    table.charge(2_000, 100.0, "hot")
    table.charge(1, 100.0, "new")
    assert set(table._partitions) == {"hot", "new"}
    assert table.exhausted(100.5, "hot") == KEY_RANGE


def test_provisioned_capacity_keeps_five_minutes_for_bursts() -> None:
    """Provisioned capacity mode: up to 300 seconds of unused capacity is kept."""
    table = Throughput(0.0, writes=True, provisioned=10)
    assert accepted(table, 0.0, 5, 100) == (10, {PROVISIONED})
    assert accepted(table, 10_000.0, 50, 5_000) == (3_000, {PROVISIONED})


def test_a_maximum_on_demand_throughput_has_its_own_reason() -> None:
    """OnDemandThroughput: requests beyond MaxWriteRequestUnits are throttled."""
    table = Throughput(0.0, writes=True, provisioned=None, ceiling=50)
    assert accepted(table, 0.0, 10, 100) == (50, {MAXIMUM_ON_DEMAND})


@pytest.mark.parametrize(("writes", "new"), [(True, 4_000), (False, 12_000)])
def test_warm_throughput_is_there_from_the_start(writes: bool, new: int) -> None:
    """Warm throughput: what a table can take at once; less than a new table takes anyway changes nothing."""
    rates = [Throughput(0.0, writes=writes, provisioned=None, warm=warm).rate(0.0) for warm in (0, new - 1, new + 1)]
    assert rates == [new, new, new + 1]
    assert Throughput(0.0, writes=writes, provisioned=10, warm=new).rate(0.0) == 10


def test_a_partition_key_gives_3000_read_units_a_second() -> None:
    """Designing partition keys: 3,000 read units per second; other keys, and scans, are not affected."""
    table = Throughput(0.0, writes=False, provisioned=None)
    table.charge(3_000, 0.0, "hot")
    assert [table.exhausted(0.0, key) for key in ("hot", "cold", None)] == [KEY_RANGE, None, None]
    assert table.exhausted(0.5, "hot") is None


def test_a_maximum_on_demand_throughput_holds_for_reads() -> None:
    """OnDemandThroughput: requests beyond MaxReadRequestUnits are throttled."""
    table = Throughput(0.0, writes=False, provisioned=None, ceiling=50)
    table.charge(60, 0.0)
    assert [table.exhausted(at) for at in (0.0, 0.5)] == [MAXIMUM_ON_DEMAND, None]


def test_reads_take_twice_a_peak_of_half_an_hour_ago() -> None:
    """On-demand capacity mode: reads grow from 12,000 units per second as writes do from 4,000."""
    table = Throughput(0.0, writes=False, provisioned=None)
    for second in range(60):
        assert table.exhausted(float(second)) is None
        table.charge(12_000, float(second))
    table.charge(1, 60.0)
    assert (table.rate(1_800.0), table.rate(1_860.0)) == (12_000, 24_000)


def test_an_item_larger_than_the_bucket_is_written_from_a_full_one() -> None:
    """An item of 400 KB costs 400 units and can be written to a table with 1 provisioned unit, when it has rested."""
    table = Throughput(0.0, writes=True, provisioned=1)
    assert table.take("k", 400, 300.0) is None
    assert table.take("k", 1, 301.0) == PROVISIONED


def test_refusals_are_spread_evenly_whatever_the_batches() -> None:
    """A share of 0.9 refuses nine of every ten operations; 1 refuses all."""
    refusals = Refusals(0.9)
    assert [sum(refusals.refuses() for _ in range(10)) for _ in range(5)] == [9] * 5
    assert all(Refusals(1.0).refuses() for _ in range(3))
