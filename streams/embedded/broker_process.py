"""The broker's process: `python -m streams.embedded.broker_process TOPIC:PARTITIONS...`, librdkafka's mock cluster.

Listens on loopback, prints one line of JSON with its address when it is
ready, and runs until SIGTERM. It has no CreateTopics, so topics are named at start; it keeps at most
about 5 MB a partition and drops the oldest. librdkafka is called through
ctypes, because its Python binding does not offer this part.
"""

import ctypes
import json
import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

REBALANCE_DELAY_MS: Final = 300
"""The group waits this long for further members before it hands out partitions."""

_ERROR_CHARS: Final = 512


def load_library() -> ctypes.CDLL:
    """Load the librdkafka that the confluent-kafka wheel carries and declare what we call.

    Raises:
        RuntimeError: the wheel is not installed, or is built in another way.
    """
    spec = find_spec("confluent_kafka")
    if spec is None or spec.origin is None:
        raise RuntimeError("the embedded broker needs the package confluent-kafka: install the extra `demo`")
    folder = Path(spec.origin).parent
    found = sorted(folder.with_name("confluent_kafka.libs").glob("librdkafka*")) or sorted(
        (folder / ".dylibs").glob("librdkafka*")
    )
    if not found:
        raise RuntimeError("confluent-kafka is installed without its own librdkafka: install it as a wheel")
    library = ctypes.CDLL(str(found[0]))
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    library.rd_kafka_conf_new.restype = pointer
    library.rd_kafka_new.restype = pointer
    library.rd_kafka_new.argtypes = [number, pointer, text, ctypes.c_size_t]
    library.rd_kafka_mock_cluster_new.restype = pointer
    library.rd_kafka_mock_cluster_new.argtypes = [pointer, number]
    library.rd_kafka_mock_cluster_bootstraps.restype = text
    library.rd_kafka_mock_cluster_bootstraps.argtypes = [pointer]
    library.rd_kafka_mock_topic_create.argtypes = [pointer, text, number, number]
    library.rd_kafka_mock_group_initial_rebalance_delay_ms.argtypes = [pointer, ctypes.c_int32]
    library.rd_kafka_mock_set_controller_id.argtypes = [pointer, ctypes.c_int32]
    return library


def start(topics: list[tuple[str, int]]) -> str:
    """Start a cluster of one broker with these topics in this process; give its address.

    Raises:
        RuntimeError: librdkafka refused.
    """
    library = load_library()
    error = ctypes.create_string_buffer(_ERROR_CHARS)
    client = library.rd_kafka_new(0, library.rd_kafka_conf_new(), error, _ERROR_CHARS)
    if not client:
        raise RuntimeError(f"librdkafka refused: {error.value.decode()}")
    cluster = library.rd_kafka_mock_cluster_new(client, 1)
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, REBALANCE_DELAY_MS)
    library.rd_kafka_mock_set_controller_id(cluster, 1)  # admin clients wait for a controller
    for name, partitions in topics:
        code = library.rd_kafka_mock_topic_create(cluster, name.encode(), partitions, 1)
        if code != 0:
            raise RuntimeError(f"librdkafka refused the topic {name} with code {code}")
    return str(library.rd_kafka_mock_cluster_bootstraps(cluster).decode())


def main() -> None:
    """Start, say where, wait for the end. The threads of librdkafka end with the process."""
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    topics = [(name, int(count)) for name, _, count in (word.rpartition(":") for word in sys.argv[1:])]
    try:
        address = start(topics)
    except RuntimeError as refused:
        sys.exit(str(refused))
    sys.stdout.write(json.dumps({"bootstrap": address}) + "\n")
    sys.stdout.flush()
    signal.sigwait(ends)
    os._exit(0)


if __name__ == "__main__":
    main()
