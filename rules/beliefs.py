"""From closed seconds and announcements to what is believed of each region.

```
second bucket -> announcements that can be known -> orders through the detector -> transitions
```

Announcements are facts with a source, not the truth: orders that contradict
one overturn it and raise an alert, once per announcement.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from models.decisions import Cause, Evidence, Status, Transition, stable_id
from models.events import Announcement
from models.units import SECOND_MS, UNKNOWN_REGION, EpochMs
from rules import DETECTORS
from rules.claims import claim_of, in_hours, knowable_at, overtaken, pending
from rules.detector import Change, Sample
from rules.settings import RuleSettings
from rules.state import Claim, DecideState, RegionState

RECENT: Final = 24


def advance(
    rules: RuleSettings,
    state: DecideState,
    second: tuple[EpochMs, Mapping[str, tuple[int, int]]],
    announcements: Iterable[Announcement] = (),
) -> tuple[DecideState, tuple[Transition, ...]]:
    """Feed one closed second: its start and region to (eligible, subsidised) orders.

    Seconds come in order of time; one that is already consumed changes
    nothing. A second without orders lets time pass for announcements. An
    announcement counts from the first second that ends at or after both its
    publication and its effect. Decisions carry the end of the second.
    """
    start, evidence = second
    end = EpochMs(start - start % SECOND_MS + SECOND_MS)
    if end <= state.position:
        return state, ()
    step = _Step(rules, state, end)
    for item in pending(rules, state, announcements):
        if knowable_at(item) <= end and (item.expires_at is None or item.expires_at > end):
            step.hear(item.region, claim_of(item))
    step.turn_hours()
    for region in sorted(evidence):
        eligible, subsidised = evidence[region]
        if region != UNKNOWN_REGION and eligible > 0:
            step.weigh(region, Sample(EpochMs(start - start % SECOND_MS), eligible, subsidised))
    return step.done()


class _Step:
    """One second in the making; the state it started from stays untouched."""

    def __init__(self, rules: RuleSettings, state: DecideState, end: EpochMs) -> None:
        self._rules = rules
        self._state = state
        self._end = end
        self._detector = DETECTORS[rules.detector.kind]
        self._changed: dict[str, RegionState] = {}
        self._made: list[Transition] = []

    def done(self) -> tuple[DecideState, tuple[Transition, ...]]:
        regions = self._state.regions
        if self._changed:
            regions = {**regions, **self._changed}
        version = self._state.status_version + len(self._made)
        return replace(self._state, position=self._end, status_version=version, regions=regions), tuple(self._made)

    def _region(self, region: str) -> RegionState:
        return self._changed.get(region) or self._state.regions.get(region) or RegionState()

    def hear(self, region: str, claim: Claim) -> None:
        """Take an announcement that can be known; one that orders have overtaken is only noted."""
        before = self._region(region)
        late = overtaken(before, claim)
        self._apply(region, replace(before, claim=claim, alerted=late), claim, heard=not late)

    def turn_hours(self) -> None:
        """Let daily hours open and close."""
        for region in sorted({*self._state.regions, *self._changed}):
            before = self._region(region)
            if before.claim is not None and before.next_turn is not None and before.next_turn <= self._end:
                self._apply(region, before, before.claim, heard=True)

    def _apply(self, region: str, before: RegionState, claim: Claim, *, heard: bool) -> None:
        to, at, next_turn = in_hours(claim, self._end, self._rules.eligibility.hours_offset_minutes)
        told = replace(before, claimed=to, next_turn=next_turn)
        self._changed[region] = self._settle(region, told, claim, to, at) if heard and to is not before.status else told

    def _settle(self, region: str, before: RegionState, claim: Claim, to: Status, at: EpochMs) -> RegionState:
        evidence = Evidence(
            orders=before.orders,
            subsidised=before.subsidised,
            recent=before.recent,
            announcement_id=claim.event_id,
            announcement_source=claim.source,
        )
        after = self._turn(region, before, to, at, "announcement", evidence, alert=False)
        return replace(after, detector=self._detector.settle(before.detector, to, at))

    def weigh(self, region: str, sample: Sample) -> None:
        """Feed one second of orders to the detector."""
        before = self._region(region)
        detector, change = self._detector.step(self._rules.detector, before.detector, sample)
        seen = replace(
            before,
            detector=detector,
            orders=before.orders + sample.eligible,
            subsidised=before.subsidised + sample.subsidised,
            recent=(*before.recent, (sample.subsidised, sample.eligible))[-RECENT:],
        )
        self._changed[region] = seen if change is None else self._overturn(region, seen, change)

    def _overturn(self, region: str, before: RegionState, change: Change) -> RegionState:
        claimed = before.claimed
        against = claimed not in (None, change.to, Status.UNKNOWN) and not before.alerted
        named = before.claim if against or claimed is change.to else None
        evidence = Evidence(
            orders=before.orders,
            subsidised=before.subsidised,
            recent=before.recent,
            base_percent=None if change.base is None else _decimal(change.base * 100),
            level_percent=_decimal(change.level * 100),
            statistic=_decimal(change.statistic),
            threshold=_decimal(change.threshold),
            announcement_id=named.event_id if named else None,
            announcement_source=named.source if named else None,
        )
        after = self._turn(region, before, change.to, change.at, "orders", evidence, alert=against)
        return replace(after, alerted=before.alerted or against)

    def _turn(
        self,
        region: str,
        before: RegionState,
        to: Status,
        at: EpochMs,
        cause: Cause,
        evidence: Evidence,
        *,
        alert: bool,
    ) -> RegionState:
        category, config = self._rules.eligibility.category, self._rules.config_hash
        self._made.append(
            Transition(
                transition_id=stable_id("transition", category, region, before.changes, to, at, self._end, config),
                category=category,
                region=region,
                from_=before.status,
                to=to,
                at=at,
                decided_at=self._end,
                cause=cause,
                alert="contradiction" if alert else None,
                evidence=evidence,
                config_hash=config,
            )
        )
        return replace(
            before,
            status=to,
            since=int(at),
            decided_at=int(self._end),
            cause=cause,
            changes=before.changes + 1,
            orders=0,
            subsidised=0,
        )


def _decimal(value: float) -> Decimal:
    return Decimal(repr(round(value, 1)))
