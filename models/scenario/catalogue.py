"""The scenarios by name: a stream of records and what is true about it."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from models.scenario import seed_table, world
from models.scenario.emitted import Emitted
from models.scenario.world import Truth, World
from models.units import DAY_MS, MICROS_PER_UNIT, MINUTE_MS, EpochMs

NAMES: Final = (world.NAME, seed_table.NAME)

Json = str | int | float | bool | list["Json"] | dict[str, "Json"]


class Scenario(NamedTuple):
    """A scenario ready to run.

    Attributes:
        records: all records in order of arrival; to be read once.
        truth: what a perfect observer knows, as JSON.
        start: first instant.
        end: exclusive end; records arrive before it.
    """

    records: Iterator[Emitted]
    truth: dict[str, Json]
    start: EpochMs
    end: EpochMs


def open_scenario(name: str, seed: int, days: float, rate: float) -> Scenario:
    """Prepare a scenario of `NAMES`.

    Args:
        name: which.
        seed: names the draw.
        days: length of wave-31 in days, cut to whole minutes; seed-table has one day.
        rate: mean events per second of event time of wave-31.

    Raises:
        KeyError: there is no such scenario.
    """
    if name == seed_table.NAME:
        return _seed_table(seed)
    if name != world.NAME:
        raise KeyError(name)
    minutes = max(1, int(days * DAY_MS // MINUTE_MS))
    end = EpochMs(world.START + minutes * MINUTE_MS)
    made = World(seed, days=int(-(-days // 1)), rate=rate)
    truth: dict[str, Json] = {"scenario": name, "seed": seed, "rate": rate, **truth_json(made.truth(end))}
    return Scenario(_run(made, world.START, end), truth, world.START, end)


def truth_json(truth: Truth) -> dict[str, Json]:
    """Give a truth as it is written to `truth.json`: states as ON and OFF, times in epoch ms."""
    switches: list[Json] = [
        {"region": switch.region, "from": _state(switch.was_on), "to": _state(switch.is_on), "at": switch.at}
        for switch in truth.switches
    ]
    return {
        "start": truth.start,
        "end": truth.end,
        "initial": {region: _state(on) for region, on in truth.initially_on.items()},
        "quota_hours": list(truth.quota_hours),
        "switches": switches,
    }


def _state(on: bool) -> str:
    return "ON" if on else "OFF"


def _run(made: World, start: EpochMs, end: EpochMs) -> Iterator[Emitted]:
    yield from made.opening()
    for minute in range(start, end, MINUTE_MS):
        yield from made.step(EpochMs(minute))


def _seed_table(seed: int) -> Scenario:
    def records() -> Iterator[Emitted]:
        yield from seed_table.campaigns()
        yield from seed_table.events(seed)

    expected: dict[str, Json] = {
        region: {
            "spend_micros": row.spend * MICROS_PER_UNIT,
            "clicks": row.clicks,
            "direct_orders": row.orders,
            "direct_gmv_micros": row.gmv * MICROS_PER_UNIT,
            "total_gmv_micros": row.total_gmv * MICROS_PER_UNIT,
        }
        for region, row in seed_table.rows().items()
    }
    end = EpochMs(seed_table.DAY + DAY_MS)
    truth: dict[str, Json] = {
        "scenario": seed_table.NAME,
        "seed": seed,
        "start": seed_table.DAY,
        "end": end,
        "rows": expected,
    }
    return Scenario(records(), truth, seed_table.DAY, end)
