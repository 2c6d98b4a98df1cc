"""Corridor mixture Shiryaev-Roberts: a change of a share of unknown size against a base that is learnt.

For each alternative share p1 of a fixed grid, with p0 the barrier and L the
likelihood ratio of the bucket's n orders,

```
R <- (R + n) * L            alarm when the mean of R over the grid reaches the threshold
```

`mean R - orders` is a supermartingale while the true share stays on the near
side of the barrier, so the mean number of orders to a false alarm is at least
the threshold, without calibration per region. An alternative too close to the
barrier counts as zero, which only lowers the mean.

The barrier is the cautious end of two learnt bases. It may not leave the slow
one by more than the corridor: slow wobble is absorbed, a long ramp is not. No
base learns while the evidence is strong, or the change would become the norm.

Falls and rises are one code: a rise is a fall of the share without a subsidy.
"""

from math import exp, log, sqrt
from typing import Final, NamedTuple

from models.decisions import Status
from models.units import HOUR_MS, EpochMs
from rules.detector import Change, DetectorState, Sample
from rules.settings import DetectorSettings

FALL_GRID: Final = (0.01, 0.03, 0.07, 0.15, 0.25, 0.40)
RISE_GRID: Final = (0.90, 0.75, 0.60, 0.45, 0.30, 0.15)
"""Alternatives; of a rise the shares without a subsidy."""

FIRST_ON: Final = 0.65
FIRST_OFF: Final = 0.03
FIRST_ODDS: Final = 200.0
"""From UNKNOWN, two simple hypotheses and the odds at which one is believed."""

PRIOR_LEVEL: Final = {Status.ON: 0.6, Status.PARTIAL: 0.35, Status.OFF: 0.03}
PRIOR_ORDERS: Final = 10.0
RUN_ORDERS: Final = 20.0
"""A fresh base weighs as 10 orders, plus at most 20 of the run that led to it."""

FAST_ORDERS: Final = 300.0
SLOW_ORDERS: Final = 500.0
SLOW_HOURS: Final = 72.0
"""Memory of the bases: 300 orders; 500 orders or 72 hours of them, whichever is more."""

CORRIDOR: Final = exp(-1.1)
CALM: Final = 5.0
FREEZE: Final = 1_000.0
SUSPECT_SHARE: Final = 1 / 90
CEILING: Final = 1e18


class _Watch(NamedTuple):
    """One direction: its evidence per alternative and their mean."""

    evidence: tuple[float, ...]
    mean: float
    level: float


_IDLE: Final = _Watch((0.0,) * len(FALL_GRID), 0.0, 0.0)


def settle(state: DetectorState, status: Status, at: EpochMs) -> DetectorState:
    """Believe what is told: no evidence against it yet, orders before `at` are not weighed any more."""
    return _enter(state, status, at, (0, 0))


def step(settings: DetectorSettings, state: DetectorState, sample: Sample) -> tuple[DetectorState, Change | None]:
    """Feed one closed bucket; give the next state and the change, if any."""
    if sample.eligible <= 0 or sample.start < state.regime_start:
        return state, None
    if state.status is Status.UNKNOWN:
        return _first_belief(state, sample)
    falls, rises = _IDLE, _IDLE
    if state.status is not Status.OFF:
        falls = _watch_fall(state, sample)
    if state.status is not Status.ON:
        rises = _watch_rise(state, sample)
    mean = max(falls.mean, rises.mean)
    grown = _grow(settings, state, sample, falls, rises)
    if mean < settings.orders_to_false_alarm:
        return grown, None
    watch = falls if falls.mean >= rises.mean else rises
    to = _classify(state, watch, fell=watch is falls)
    run = (grown.run_orders, grown.run_subsidised)
    after = _enter(grown, to, EpochMs(sample.start), run)
    if to is state.status:
        return after, None
    return after, _change(settings, grown, to, mean)


def _first_belief(state: DetectorState, sample: Sample) -> tuple[DetectorState, Change | None]:
    hits, misses = sample.subsidised, sample.eligible - sample.subsidised
    (odds,) = state.memory.get("odds", (0.0,))
    odds += hits * log(FIRST_ON / FIRST_OFF) + misses * log((1 - FIRST_ON) / (1 - FIRST_OFF))
    run_start = state.run_start if state.run_orders else int(sample.start)
    orders, subsidised = state.run_orders + sample.eligible, state.run_subsidised + hits
    believed = abs(odds) >= log(FIRST_ODDS)
    grown = DetectorState(
        regime_start=state.regime_start,
        run_start=run_start,
        run_orders=orders,
        run_subsidised=subsidised,
        first_at=sample.start if state.first_at is None else state.first_at,
        seen=state.seen + sample.eligible,
        memory={**state.memory, "odds": (odds,)},
    )
    if not believed:
        return grown, None
    to = Status.ON if odds > 0 else Status.OFF
    change = Change(
        to, EpochMs(run_start), None, subsidised / orders, orders, subsidised, exp(min(abs(odds), 40.0)), FIRST_ODDS
    )
    return _enter(grown, to, EpochMs(sample.start), (orders, subsidised)), change


def _enter(state: DetectorState, status: Status, at: EpochMs, run: tuple[int, int]) -> DetectorState:
    """Begin a regime: fresh bases from what is known of the status and from the run that led to it."""
    memory = {"on": state.memory["on"]} if "on" in state.memory else {}
    if state.status is Status.ON:
        memory["on"] = (_mean(state.memory["slow"]),)
    if status is not Status.UNKNOWN:
        level = PRIOR_LEVEL[status] if status is not Status.ON else memory.get("on", (PRIOR_LEVEL[status],))[0]
        orders, subsidised = run
        weight = min(1.0, RUN_ORDERS / orders) if orders else 0.0
        base = (
            PRIOR_ORDERS * level + weight * subsidised,
            PRIOR_ORDERS * (1.0 - level) + weight * (orders - subsidised),
        )
        memory |= {"fast": base, "slow": base, "falls": _IDLE.evidence, "rises": _IDLE.evidence}
    return DetectorState(status=status, regime_start=int(at), first_at=state.first_at, seen=state.seen, memory=memory)


def _watch_fall(state: DetectorState, sample: Sample) -> _Watch:
    memory = state.memory
    # PARTIAL lies above a third of ON: its base may follow the orders down, its barrier may not.
    low = max(_known_on(state) / 3, 0.10) if state.status is Status.PARTIAL else 0.10
    barrier = _barrier(memory["fast"], memory["slow"], low=low, high=0.985)
    return _weigh(FALL_GRID, memory["falls"], barrier, sample.eligible, sample.subsidised)


def _watch_rise(state: DetectorState, sample: Sample) -> _Watch:
    memory = state.memory
    # A false OFF must not be learnt as the level of OFF, so its share is never believed above a tenth.
    low = 0.90 if state.status is Status.OFF else 1.0 - max(_known_on(state) * 2 / 3, 0.10)
    barrier = _barrier(memory["fast"][::-1], memory["slow"][::-1], low=low, high=0.985)
    watch = _weigh(RISE_GRID, memory["rises"], barrier, sample.eligible, sample.eligible - sample.subsidised)
    return watch._replace(level=1.0 - watch.level)


def _barrier(fast: tuple[float, ...], slow: tuple[float, ...], low: float, high: float) -> float:
    """Give the share that a fall must get below: the lower one-sigma limit of the bases, inside the corridor."""
    odds_fast, odds_slow = _lower_odds(fast), _lower_odds(slow)
    odds = max(min(odds_fast, odds_slow), odds_slow * CORRIDOR)
    return min(max(odds / (1.0 + odds), low), high)


def _lower_odds(base: tuple[float, ...]) -> float:
    mean, weight = _mean(base), base[0] + base[1]
    limit = max(mean - sqrt(mean * (1.0 - mean) / (weight + 1.0)), 0.02)
    return limit / (1.0 - limit)


def _mean(base: tuple[float, ...]) -> float:
    return base[0] / (base[0] + base[1])


def _weigh(grid: tuple[float, ...], before: tuple[float, ...], barrier: float, orders: int, hits: int) -> _Watch:
    evidence = []
    for alternative, old in zip(grid, before, strict=True):
        if alternative > 0.7 * barrier and alternative > 1.0 - 4.0 * (1.0 - barrier):
            evidence.append(0.0)
            continue
        gain = hits * log(alternative / barrier) + (orders - hits) * log((1.0 - alternative) / (1.0 - barrier))
        evidence.append(min((old + orders) * exp(min(gain, 60.0)), CEILING))
    total = sum(evidence)
    level = sum(value * share for value, share in zip(evidence, grid, strict=True)) / total if total else 0.0
    return _Watch(tuple(evidence), total / len(grid), level)


def _grow(
    settings: DetectorSettings, state: DetectorState, sample: Sample, falls: _Watch, rises: _Watch
) -> DetectorState:
    """Carry evidence, run, suspicion and bases over this bucket."""
    mean = max(falls.mean, rises.mean)
    calm = mean < CALM
    fresh_run = state.run_orders == 0
    first_at = int(sample.start) if state.first_at is None else state.first_at
    memory = dict(state.memory) | {"falls": falls.evidence, "rises": rises.evidence}
    if mean <= min(FREEZE, settings.orders_to_false_alarm / 2):
        hours = max((sample.start - first_at) / HOUR_MS, 1.0)
        memory["fast"] = _learn(memory["fast"], sample, FAST_ORDERS)
        memory["slow"] = _learn(memory["slow"], sample, max(SLOW_ORDERS, SLOW_HOURS * state.seen / hours))
    suspicion = max(2 * CALM, settings.orders_to_false_alarm * SUSPECT_SHARE)
    return DetectorState(
        status=state.status,
        suspect=mean >= suspicion or (state.suspect and not calm),
        regime_start=state.regime_start,
        run_start=int(sample.start) if fresh_run else state.run_start,
        run_orders=0 if calm else state.run_orders + sample.eligible,
        run_subsidised=0 if calm else state.run_subsidised + sample.subsidised,
        first_at=first_at,
        seen=state.seen + sample.eligible,
        memory=memory,
    )


def _learn(base: tuple[float, ...], sample: Sample, memory_orders: float) -> tuple[float, float]:
    weight = base[0] + base[1]
    fade = 1.0 if weight <= memory_orders else max(0.0, 1.0 - sample.eligible / weight)
    return base[0] * fade + sample.subsidised, base[1] * fade + (sample.eligible - sample.subsidised)


def _classify(state: DetectorState, watch: _Watch, *, fell: bool) -> Status:
    """Name the new level: a fall to a part of the ON share is a quota of some cities, not OFF."""
    known = _known_on(state)
    if fell:
        return Status.OFF if watch.level <= known / 3 else Status.PARTIAL
    bar = known / 3 if state.status is Status.OFF else known * 2 / 3
    return Status.ON if watch.level >= bar else Status.PARTIAL


def _known_on(state: DetectorState) -> float:
    """Give the share that ON has here: learnt now, learnt before, or assumed."""
    if state.status is Status.ON:
        return _mean(state.memory["slow"])
    return state.memory.get("on", (PRIOR_LEVEL[Status.ON],))[0]


def _change(settings: DetectorSettings, state: DetectorState, to: Status, mean: float) -> Change:
    return Change(
        to=to,
        at=EpochMs(state.run_start),
        base=_mean(state.memory["slow"]),
        level=state.run_subsidised / state.run_orders,
        orders=state.run_orders,
        subsidised=state.run_subsidised,
        statistic=mean,
        threshold=float(settings.orders_to_false_alarm),
    )
