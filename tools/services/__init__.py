"""Real services on loopback for development and tests: Kafka, Redis, Valkey, Prometheus.

`make services` starts them under `.run/`; the test fixtures start their own in temporary folders.
"""

from services.binaries import MissingBinaryError, find
from services.broker import Broker
from services.daemon import Daemon, free_port
from services.prometheus import Prometheus
from services.proxy import Proxy
from services.redis_cluster import RedisCluster
from services.redis_server import RedisServer
from services.waiting import DeadlineError, wait_for, wait_for_async

__all__ = [
    "Broker",
    "Daemon",
    "DeadlineError",
    "MissingBinaryError",
    "Prometheus",
    "Proxy",
    "RedisCluster",
    "RedisServer",
    "find",
    "free_port",
    "wait_for",
    "wait_for_async",
]
