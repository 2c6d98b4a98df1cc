"""Topics as they should be and as they are: created when absent, compared when present. On kafka-python.

Answers of the broker hold whole configurations and are never printed or logged.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from kafka import KafkaAdminClient
from kafka import TopicPartition as Position
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import KafkaError, TopicAlreadyExistsError

from models.errors import ServiceUnavailable
from streams.kafka_reach import DIALECT, require_listener
from streams.ports import TopicPartition
from streams.settings import KafkaSettings
from streams.topics import TOPICS

COMPARED: Final = ("cleanup.policy", "retention.ms", "retention.bytes")
CONNECT_MS: Final = 5_000


class FoundTopic(NamedTuple):
    """A topic as the broker has it; `configs` holds what `COMPARED` names and may be empty where it cannot be asked."""

    partitions: int
    configs: Mapping[str, str]


@contextmanager
def open_admin(kafka: KafkaSettings) -> Iterator[KafkaAdminClient]:
    """Connect for as long as the block runs.

    Raises:
        ServiceUnavailable: no broker answers, at the start or within the block.
    """
    client, servers = None, require_listener(kafka.bootstrap)
    try:
        client = KafkaAdminClient(
            bootstrap_servers=servers,
            api_version=DIALECT,
            request_timeout_ms=int(kafka.request_timeout_s * 1000),
            bootstrap_timeout_ms=CONNECT_MS,
        )
        yield client
    except (KafkaError, OSError) as error:
        raise ServiceUnavailable(
            f"Kafka cannot be reached at {kafka.bootstrap}: {type(error).__name__};"
            " check SUBSIDYWATCH_KAFKA__BOOTSTRAP and that it runs"
        ) from None
    finally:
        if client is not None:
            client.close()


def create(client: KafkaAdminClient, kafka: KafkaSettings) -> list[str]:
    """Create the topics that are absent and give their names; those that exist are left alone."""
    here = set(client.list_topics())
    made = []
    for spec in TOPICS:
        if spec.name in here:
            continue
        wish = {
            "num_partitions": spec.partitions(kafka.partitions),
            "replication_factor": kafka.replication,
            "configs": spec.configs(),
        }
        try:
            client.create_topics({spec.name: wish})
        except TopicAlreadyExistsError:
            continue  # someone else was faster, and asked for the same
        made.append(spec.name)
    return made


def find(client: KafkaAdminClient) -> dict[str, FoundTopic]:
    """Give those of our topics that exist."""
    names = [spec.name for spec in TOPICS]
    here = [name for name in names if name in set(client.list_topics())]
    if not here:
        return {}
    partitions = {topic["name"]: len(topic["partitions"]) for topic in client.describe_topics(here)}
    configs = _configs(client, here)
    return {name: FoundTopic(partitions[name], configs.get(name, {})) for name in here}


def reach_of(client: KafkaAdminClient, tps: Sequence[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
    """Give the first offset that the log of each partition still has, and the one its next record will get."""
    ends = []
    for spec in (OffsetSpec.EARLIEST, OffsetSpec.LATEST):
        found = client.list_partition_offsets({Position(*tp): spec for tp in tps}) if tps else {}
        ends.append({TopicPartition(place.topic, place.partition): at.offset for place, at in found.items()})
    earliest, latest = ends
    return {tp: (earliest[tp], latest[tp]) for tp in tps if tp in earliest and tp in latest}


def _configs(client: KafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    wanted = [ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(COMPARED)) for name in names]
    answer = client.describe_configs(wanted, config_filter="all")
    topics = answer.get("topic", answer.get("TOPIC", {}))
    return {
        name: {key: str(value["value"] if isinstance(value, dict) else value) for key, value in found.items()}
        for name, found in topics.items()
    }


def problems(found: Mapping[str, FoundTopic], kafka: KafkaSettings) -> list[str]:
    """Give one sentence per way in which the topics are not as they should be; empty when all is well."""
    out = []
    absent = [spec.name for spec in TOPICS if spec.name not in found]
    if absent:
        verb = "does not exist" if len(absent) == 1 else "do not exist"
        out.append(f"{', '.join(absent)} {verb}: run `subsidywatch topics create`")
    for spec in TOPICS:
        topic = found.get(spec.name)
        if topic is None:
            continue
        wide = spec.partitions(kafka.partitions)
        if topic.partitions != wide:
            out.append(f"{spec.name} has {topic.partitions} partitions, not {wide}: set SUBSIDYWATCH_KAFKA__PARTITIONS")
        for key, value in spec.configs().items():
            if topic.configs.get(key, value) != value:
                out.append(f"{spec.name} has {key}={topic.configs[key]}, not {value}: change it with Kafka's own tools")
    return out
