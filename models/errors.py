"""Every error this program raises on purpose; each leaf has one fate.

```
MonitorError
  x InvalidEvent         this record is wrong: dead-letter it, go on
  x SettingsError        wrong settings or use: one sentence naming the variable, exit 2
  x InputFileError       a file given to a tool is wrong: one sentence, exit 2
  x ServiceUnavailable   Kafka or Redis is away: a worker retries with back-off, a tool exits 3
  x UnsafeStore          Redis would evict or lose totals: refuse to start, exit 2
  x OffsetGap            the log skips offsets that were never applied: count, alarm, operator decides
  x DeadLetterLimit      more refused records than allowed: the worker stops with nothing of the slice written, exit 1
  x Stalled              work at hand and nothing settled for too long: dump all stacks, exit 70
  x CrashingRecord       one of several records crashes our own code: try fewer at once, dead-letter it alone
  x StoreFault           the store failed in a way nobody foresaw: never a record's fault, exit 70
  x Fenced               another owner claimed the partition: drop the batch, rejoin the group
  x InfeasibleBounds     floors and caps leave no plan: name the shortfall, change nothing
  x StaleBudget          an ad platform's budget moved since the plan: the adjuster answers `stale`
  x PlanRefused          an ad platform cannot do it: the adjuster answers `rejected`
  x ChildDied            a process of the demo ended by itself: the demo ends
```
"""


class MonitorError(Exception):
    """Base of all errors raised on purpose; `str(error)` is one sentence for people."""

    exit_code = 70


class InvalidEvent(MonitorError):
    """A record that breaks the contract.

    Attributes:
        reason: closed set of short codes, used as a metric label and header.
        detail: what exactly was wrong, at most 200 characters, printable.
    """

    def __init__(self, reason: str, detail: str) -> None:
        """Keep the reason apart from the detail, because only the reason is a label."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail[:200]


class SettingsError(MonitorError):
    """A setting, flag or combination of them that cannot be used."""

    exit_code = 2


class InputFileError(MonitorError):
    """A file given to a tool that cannot be read as what it should be."""

    exit_code = 2


class ServiceUnavailable(MonitorError):
    """Kafka or Redis could not be reached, or answered that it is not ready."""

    exit_code = 3


class UnsafeStore(MonitorError):
    """Redis is set up so that it could drop totals, for example by evicting keys."""

    exit_code = 2


class OffsetGap(MonitorError):
    """The next batch starts past the stored offset: records were lost before we read them."""


class DeadLetterLimit(MonitorError):
    """More records were refused than may be before someone looks at them."""

    exit_code = 1


class Stalled(MonitorError):
    """A worker that has work and gets nowhere; only a new process helps."""


class CrashingRecord(MonitorError):
    """Some record of several crashes our own code."""


class StoreFault(MonitorError):
    """The store failed in a way that nobody foresaw: never to be taken for the fault of a record."""


class Fenced(MonitorError):
    """The partition has a newer owner; what this worker holds of it is void."""


class InfeasibleBounds(MonitorError):
    """No allocation satisfies floors, caps and the total at once."""

    exit_code = 1
