"""An adjuster on real Kafka: what is delivered twice, late or in the wrong order, and what a kill -9 leaves behind."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer

from models.decisions import RESULTS_TOPIC, SHIFTS_TOPIC, BudgetShift, Leg, ShiftEvidence, ShiftResult
from models.errors import ServiceUnavailable
from models.units import CampaignId, Micros
from services import Broker
from streams.adjuster.ad_platform import Budget, BudgetPlatform
from streams.adjuster.feed import KafkaFeed
from streams.kafka_admin import create, open_admin
from streams.settings import KafkaSettings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

EXAMPLE = Path(__file__).parents[2] / "examples" / "adjuster.py"
CHILD = Path(__file__).with_name("adjuster_child.py")
LATER = 4_000_000_000_000


class Desk:
    """Publishes shifts between two campaigns and reads the answers; a consumer name of its own keeps tests apart."""

    def __init__(self, broker: Broker, folder: Path, consumer: str) -> None:
        self.bootstrap, self.consumer, self.answerer = broker.bootstrap, consumer, consumer
        self.path = folder / "budgets.sqlite"
        self.names = (f"{consumer}-a", f"{consumer}-b")
        self.platform = BudgetPlatform(self.path)
        self.platform.open_campaigns({CampaignId(name): Budget(Micros(1_000), 1) for name in self.names})
        self._producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
        self._consumer = KafkaConsumer(
            RESULTS_TOPIC, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", group_id=None
        )
        self._answers: list[ShiftResult] = []
        self._children: list[subprocess.Popen[str]] = []

    def shift(self, number: int, **changes: object) -> BudgetShift:
        """Move 10 from a to b, as decision `number` at budget versions `number`."""
        a, b = 1_000 - 10 * (number - 1), 1_000 + 10 * (number - 1)
        legs = [
            Leg(
                campaign=name,
                region="440000",
                old_micros=old,
                old_version=number,
                new_micros=new,
                delta_micros=new - old,
                reasons=("status_on",),
            )
            for name, old, new in zip(self.names, (a, b), (a - 10, b + 10), strict=True)
        ]
        fields: dict[str, object] = {
            "shift_id": f"{self.consumer}-{number}",
            "plan_id": f"plan-{number}",
            "plan_hash": "h",
            "decision_epoch": number,
            "emitted_at": 0,
            "valid_until": LATER,
            "mode": "auto",
            "action": "budget",
            "category": self.consumer,
            "cause": "t",
            "reasons": ("status_on",),
            "legs": legs,
            "total_before_micros": 2_000,
            "total_after_micros": 2_000,
            "status_version": 1,
            "evidence": ShiftEvidence(window="24h", clicks=1, orders=1, spend_micros=1, value_micros=1),
            "config_hash": "c",
        }
        return BudgetShift.model_validate({**fields, **changes})

    def publish(self, *shifts: BudgetShift) -> None:
        """Put shifts on the topic."""
        for shift in shifts:
            self._producer.send(SHIFTS_TOPIC, key=shift.plan_id.encode(), value=shift.model_dump_json().encode())
        self._producer.flush(timeout=20)

    def answers(self) -> list[tuple[str, str]]:
        """Give all answers to shifts of this desk so far: number and result."""
        for batch in self._consumer.poll(timeout_ms=100).values():
            self._answers.extend(ShiftResult.model_validate_json(record.value) for record in batch)
        mine = [
            one
            for one in self._answers
            if one.shift_id.startswith(f"{self.consumer}-") and one.consumer == self.answerer
        ]
        return [(one.shift_id.removeprefix(f"{self.consumer}-"), one.result) for one in mine]

    def start(self, *argv: str) -> "subprocess.Popen[str]":
        """Start an adjuster as a process."""
        child = subprocess.Popen([sys.executable, *argv], stdout=subprocess.PIPE, text=True)
        self._children.append(child)
        return child

    def await_line(self, child: "subprocess.Popen[str]", line: str) -> None:
        """Wait until a child prints a line."""
        assert child.stdout is not None
        assert f"{line}\n" in iter(child.stdout.readline, "")

    def close(self) -> None:
        """End everything."""
        for child in self._children:
            if child.poll() is None:
                child.kill()
            child.wait()
            if child.stdout:
                child.stdout.close()
        self._consumer.close()
        self._producer.close()
        self.platform.close()


@pytest.fixture
def desk(kafka: Broker, tmp_path: Path, unique_name: Callable[[str], str]) -> Iterator[Desk]:
    """Give a desk on the shared broker."""
    settings = KafkaSettings(bootstrap=kafka.bootstrap)
    with open_admin(settings) as client:
        create(client, settings)
    made = Desk(kafka, tmp_path, unique_name(f"desk{time.monotonic_ns()}"))
    yield made
    made.close()


def test_example_answers_each_delivery_rightly(desk: Desk, wait_for: Callable[..., object]) -> None:
    """Applied once; the copy, the late one, the overtaken one, the stale one and the dry run move nothing."""
    desk.answerer = "example-adjuster"
    first, second = desk.shift(1), desk.shift(2)
    desk.publish(
        first,
        first,
        desk.shift(2, shift_id=f"{desk.consumer}-late", valid_until=1),
        desk.shift(2, shift_id=f"{desk.consumer}-dry", mode="dry_run"),
        second,
        desk.shift(1, shift_id=f"{desk.consumer}-old"),
        desk.shift(1, shift_id=f"{desk.consumer}-moved", decision_epoch=9),
    )
    adjuster = desk.start(str(EXAMPLE), desk.bootstrap, str(desk.path))
    expected = [
        ("1", "applied"),
        ("1", "duplicate"),
        ("late", "stale"),
        ("dry", "rejected"),
        ("2", "applied"),
        ("old", "stale"),
        ("moved", "stale"),
    ]
    wait_for(lambda: len(desk.answers()) >= len(expected), timeout=60)

    assert expected == desk.answers()
    assert [(980, 3), (1_020, 3)] == list(desk.platform.budgets().values())
    adjuster.send_signal(signal.SIGTERM)
    assert 0 == adjuster.wait(10)


@pytest.mark.parametrize("point", ["given", "applied", "answered", "committed"])
def test_killed_adjuster_neither_repeats_nor_loses(desk: Desk, wait_for: Callable[..., object], point: str) -> None:
    """Killed twice at the same point: every shift is applied exactly once and is answered as applied."""
    copies = 2 if point == "answered" else 1  # killed before it could note that the answer had arrived
    for number in (1, 2):
        desk.publish(desk.shift(number))
        victim = desk.start(str(CHILD), desk.bootstrap, str(desk.path), desk.consumer, point)
        desk.await_line(victim, f"reached {point}")
        victim.kill()
        victim.wait()
        survivor = desk.start(str(CHILD), desk.bootstrap, str(desk.path), desk.consumer, "nowhere")
        desk.await_line(survivor, "reached started")
        wait_for(lambda shift=str(number): desk.answers().count((shift, "applied")) == copies, timeout=60)
        survivor.send_signal(signal.SIGTERM)
        assert 0 == survivor.wait(15)

    assert [(980, 3), (1_020, 3)] == list(desk.platform.budgets().values())
    assert {"applied"} == {result for _, result in desk.answers()}


def test_absent_kafka_is_one_sentence() -> None:
    """Nobody listens: the client says where it looked, within its time limit."""
    with pytest.raises(ServiceUnavailable, match=r"Kafka cannot be reached at 127\.0\.0\.1:1"):
        KafkaFeed.connect("127.0.0.1:1", "nobody.v1")
