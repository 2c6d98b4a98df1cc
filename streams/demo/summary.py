"""The end of a demo: was every total exact, was every switch found, was every shift applied?"""

from dataclasses import dataclass
from statistics import median
from zoneinfo import ZoneInfo

from models.decisions import BudgetShift, ShiftResult
from models.scenario.ledger import Ledger
from models.scenario.world import Truth
from models.units import MINUTE_MS
from models.windows import Scope, cover, span_of
from streams.demo.judging import Difference, Finding, differences, match, wrong
from streams.demo.plan import label
from streams.demo.printing import clock, say
from streams.ports import ReadStore
from streams.readlog import EXPLAIN_LIMIT, feed
from streams.readmodel import head_of

SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a run came to.

    Attributes:
        sent: records that the simulator sent, counted those the store has applied.
        cells: cells that were compared; differences those counters that differ.
        findings: every true switch and what found it; wrong counts decisions that were never true.
    """

    sent: int
    counted: int
    cells: int
    differences: tuple[Difference, ...]
    findings: tuple[Finding, ...]
    wrong: int
    shifts: tuple[BudgetShift, ...]
    results: tuple[ShiftResult, ...]

    @property
    def exact(self) -> bool:
        """Every record is counted and every cell equals the simulator's own sum."""
        return self.sent == self.counted and not self.differences


async def draw_up(store: ReadStore, zone: ZoneInfo, ledger: Ledger, truth: Truth, counted: int) -> Summary:
    """Compare everything.

    Raises:
        ServiceUnavailable: the store is away.
    """
    head = head_of(await store.progress())
    found: list[Difference] = []
    cells = 0
    for scope in Scope:
        sent = ledger.totals(scope.value)
        cells += len(sent)
        have = {} if head is None else await store.totals(scope, cover(span_of("all", head, zone), scope, head, zone))
        found.extend(differences(scope.value, sent, have))
    logs = await feed(store, EXPLAIN_LIMIT)
    changes = sorted(logs.transitions, key=lambda change: change.decided_at)
    return Summary(
        sent=ledger.records,
        counted=counted,
        cells=cells,
        differences=tuple(found),
        findings=tuple(match(truth.switches, changes)),
        wrong=wrong(changes, truth.initially_on, truth.switches),
        shifts=logs.shifts,
        results=logs.results,
    )


def print_summary(summary: Summary) -> None:
    """Print it for people; the words `exact: yes` and `exact: no` are for programs too."""
    say("")
    say(f"events: {summary.sent:,} sent, {summary.counted:,} counted")
    say(f"exact: {'yes' if summary.exact else 'no'} ({summary.cells:,} cells of three breakdowns compared)")
    for one in summary.differences[:SHOWN]:
        say(f"  {one.scope} {one.member}: {one.counter} sent {one.sent:,}, counted {one.counted:,}")
    if len(summary.differences) > SHOWN:
        say(f"  and {len(summary.differences) - SHOWN:,} more")
    _print_findings(summary)
    by_result: dict[str, set[str]] = {}
    for answer in summary.results:
        by_result.setdefault(answer.result, set()).add(answer.shift_id)
    answers = ", ".join(f"{len(ids)} {result}" for result, ids in sorted(by_result.items())) or "no answers"
    say(f"shifts: {len(summary.shifts)} published, {answers}")


def _print_findings(summary: Summary) -> None:
    delays = [finding.delay_ms / MINUTE_MS for finding in summary.findings if finding.delay_ms is not None]
    timing = (
        f", delay {median(delays):.1f} simulated minutes in the middle, {max(delays):.1f} at most" if delays else ""
    )
    say(f"switches: {len(summary.findings)} true, {len(delays)} found{timing}, {summary.wrong} wrong decisions")
    for finding in summary.findings:
        say(finding_line(finding))


def finding_line(finding: Finding) -> str:
    """Say what found a true switch, and how long after it."""
    turn = finding.switch
    what = f"  {label(turn.region)} {'ON' if turn.is_on else 'OFF'} at {clock(turn.at)}"
    if finding.found is None or finding.delay_ms is None:
        return f"{what}: not found yet"
    return f"{what}: found by {finding.found.cause}, {finding.delay_ms / MINUTE_MS:.1f} simulated minutes later"
