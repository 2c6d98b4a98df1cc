"""librdkafka's mock broker as a process that answers requests with errors when told to.

`python faulty_broker.py TOPIC:PARTITIONS...` prints its address, then takes
lines `API_KEY ERROR_CODE TIMES` on stdin: so many next requests of this kind fail.
"""

import ctypes
import sys

from streams.embedded.broker_process import load_library


def main() -> None:
    """Start, say where, inject."""
    library = load_library()
    error = ctypes.create_string_buffer(512)
    client = library.rd_kafka_new(0, library.rd_kafka_conf_new(), error, 512)
    cluster = library.rd_kafka_mock_cluster_new(client, 1)
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 100)
    library.rd_kafka_mock_set_controller_id(cluster, 1)
    library.rd_kafka_mock_push_request_errors_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_int16,
        ctypes.c_size_t,
        ctypes.POINTER(ctypes.c_int),
    ]
    for word in sys.argv[1:]:
        name, _, count = word.rpartition(":")
        library.rd_kafka_mock_topic_create(cluster, name.encode(), int(count), 1)
    sys.stdout.write(library.rd_kafka_mock_cluster_bootstraps(cluster).decode() + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        key, code, times = (int(word) for word in line.split())
        library.rd_kafka_mock_push_request_errors_array(cluster, key, times, (ctypes.c_int * times)(*([code] * times)))
        sys.stdout.write("injected\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
