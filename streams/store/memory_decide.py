"""The decide line's state, log, outbox and switch in dictionaries: the definition of correct for `redis_decide`."""

from collections.abc import Sequence

from streams.ports import Fact, Limit, LogEntry, OutboxEntry
from streams.store.limits import LOG_CAP


class MemoryDecide:
    """What only the decide line and people write, and the counts and facts they read beside it."""

    def __init__(self) -> None:
        """Start empty."""
        self._facts: dict[str, dict[str, str]] = {}
        self._tallies: dict[str, int] = {}
        self._version = 0
        self._state: str | None = None
        self._outbox: dict[str, OutboxEntry] = {}
        self._logs: dict[str, dict[str, str]] = {}
        self._switch = False
        self._limits: dict[str, Limit] = {}

    async def load_state(self) -> tuple[int, str | None]:
        """As `DecideStore.load_state`."""
        return self._version, self._state

    async def swap_state(
        self, version: int, state: str, outbox: Sequence[OutboxEntry], log: Sequence[LogEntry]
    ) -> bool:
        """As `DecideStore.swap_state`."""
        if version != self._version:
            return False
        self._version, self._state = version + 1, state
        for entry in outbox:
            self._outbox.setdefault(entry.entry_id, entry)
        for line in log:
            kept = self._logs.setdefault(line.log, {})
            kept.setdefault(line.entry_id, line.body)
            if len(kept) > LOG_CAP:
                del kept[next(iter(kept))]
        return True

    async def outbox(self, limit: int) -> list[OutboxEntry]:
        """As `DecideStore.outbox`."""
        return list(self._outbox.values())[: max(limit, 0)]

    async def mark_sent(self, entry_ids: Sequence[str]) -> None:
        """As `DecideStore.mark_sent`."""
        for entry_id in entry_ids:
            self._outbox.pop(entry_id, None)

    async def forget(self, kind: str, keys: Sequence[str]) -> None:
        """As `DecideStore.forget`."""
        for key in keys:
            self._facts.get(kind, {}).pop(key, None)

    async def facts(self, kind: str) -> dict[str, str]:
        """As `ReadStore.facts`."""
        return dict(self._facts.get(kind, {}))

    async def tallies(self) -> dict[str, int]:
        """As `ReadStore.tallies`."""
        return dict(self._tallies)

    async def read_log(self, log: str, limit: int) -> list[str]:
        """As `ReadStore.read_log`."""
        return list(self._logs.get(log, {}).values())[::-1][: max(limit, 0)]

    async def switch(self) -> bool:
        """As `ReadStore.switch`."""
        return self._switch

    async def set_switch(self, on: bool, actor: str) -> None:
        """As `ReadStore.set_switch`."""
        self._switch = on

    async def limits(self) -> dict[str, Limit]:
        """As `ReadStore.limits`."""
        return dict(self._limits)

    async def set_limit(self, name: str, value: int | None, actor: str) -> None:
        """As `ReadStore.set_limit`."""
        if value is None:
            self._limits.pop(name, None)
        else:
            self._limits[name] = Limit(value, actor)

    async def note(self, facts: Sequence[Fact], *, replace: bool) -> list[bool]:
        """As `ReadStore.note`."""
        written = []
        for fact in facts:
            kept = self._facts.setdefault(fact.kind, {})
            written.append(replace or fact.key not in kept)
            if written[-1]:
                kept[fact.key] = fact.body
        return written
