"""The rows of the fault matrix, in order: fault, how it is injected, what must hold, recovery hoped for."""

from typing import Final

from chaos import brokers, crashes, decisions, failover, planted, records, stores
from chaos.rows import Row

ROWS: Final[dict[str, Row]] = {
    "1": Row("worker killed at random points", "SIGKILL to one of two workers, restart", "exact", 11, crashes.kill),
    "2": Row(
        "worker stopped under load",
        "SIGTERM; also with a handler that hangs, and one that blocks the loop",
        "exact; exit 0",
        10,
        crashes.term,
    ),
    "3": Row(
        "zombie",
        "SIGSTOP for 15 s with slices in hand, session 6 s, a peer takes over, SIGCONT",
        "exact; the fence refuses",
        None,
        crashes.zombie,
    ),
    "4": Row("scaling under load", "1 worker, 3, 1 again", "exact; a partition stands still briefly", 5, crashes.scale),
    "5": Row("Redis crashes", "SIGKILL, restart with its append-only file", "exact", 5, stores.restarted),
    "6": Row(
        "Redis loses everything",
        "SIGKILL, its data deleted, restart",
        "exact; rebuilt from the log, and said",
        None,
        stores.wiped,
    ),
    "7": Row(
        "Redis restored from an older copy", "copy of 12 s before", "exact; read again from there", None, stores.older
    ),
    "8": Row(
        "power loss under Redis",
        "SIGKILL, last 1 to 4 KiB of the append-only file cut, restart, BGREWRITEAOF",
        "exact",
        None,
        stores.tail_cut,
    ),
    "9": Row(
        "Redis out of memory",
        "maxmemory to half of what is used",
        "pauses, says so, drops nothing; exact",
        None,
        stores.full_memory,
    ),
    "10": Row(
        "Redis hangs", "SIGSTOP; proxy that swallows every byte", "exact; the event loop goes on", None, stores.hung
    ),
    "11": Row(
        "failover to a stale replica",
        "replication silent for 8 s, read-only for 4 s, REPLICAOF NO ONE",
        "exact",
        None,
        failover.failover,
    ),
    "12": Row("broker crashes", "SIGKILL, restart", "exact", 30, brokers.crashed),
    "13": Row(
        "broker unreachable",
        "proxy that swallows every byte, 2 min and 20 s",
        "stays alive, says so; exact",
        15,
        brokers.unreachable,
    ),
    "14": Row(
        "slow network",
        "proxies before Kafka and Redis: 200 ms, 1 % of the pieces cut their connection",
        "exact",
        None,
        brokers.slow,
    ),
    "15a": Row(
        "flood of garbage, no limit",
        "100,000 bad records of 30 kinds among good ones",
        "each dead-lettered once; exact",
        None,
        records.garbage,
    ),
    "15b": Row(
        "flood of garbage, limit",
        "3,000 bad records at a limit of 1,000",
        "stops loudly at the limit, goes on when it is raised; exact",
        None,
        records.limited,
    ),
    "16": Row(
        "poison",
        "a mistake in the decoder that crashes on one record",
        "one dead letter, the stream goes on; exact",
        1,
        records.poison,
    ),
    "17": Row(
        "repeats, shuffled, late",
        "30 % sent twice, times 5 min out of order, 2 % two hours late",
        "exact; counted",
        None,
        records.repeated,
    ),
    "18": Row(
        "clock jump",
        "libfaketime: +1 h, -1 h, and two workers an hour apart",
        "same totals and decisions; the skew is told",
        None,
        decisions.clock,
    ),
    "19": Row(
        "events of next year",
        "40 events dated a year ahead",
        "dead-lettered; no event time moves; exact",
        None,
        records.future,
    ),
    "20": Row(
        "retention overtakes",
        "records deleted before a stopped worker, and one cut off, read them",
        "loss counted to the offset, windows marked",
        None,
        brokers.overtaken,
    ),
    "21": Row(
        "topic made anew",
        "deleted and created while the store remembers more",
        "refused with a clear message; nothing counted",
        None,
        brokers.made_anew,
    ),
    "22": Row(
        "disk full", "small tmpfs under the append-only file, filled by something else", "as 9", None, stores.full_disk
    ),
    "23": Row(
        "nothing can be published",
        "proxy that cuts whoever asks to produce, while an hour is decided",
        "nothing lost; one id, one decision",
        None,
        decisions.mute,
    ),
    "25": Row("burst", "10 times the load for 60 s", "memory less than doubles; drained; exact", 180, records.burst),
    "26": Row(
        "campaign ids without end",
        "200,000 events with as many campaigns",
        "memory and series bounded; exact",
        None,
        records.varied,
    ),
    "27": Row(
        "restart storm",
        "the only worker, named in its group, killed 5 s after it is up, 20 times",
        "every cycle makes progress; exact",
        None,
        crashes.storm,
    ),
    "28": Row(
        "planted bugs",
        "no fence, commit before write, float money, skip on error, concurrency 2",
        "each turns its row red",
        None,
        planted.planted,
    ),
}
"""Number to row; row 24, the soak, belongs to the benchmarks."""
