"""A Redis Cluster on loopback: masters without replicas, each to be killed and started again."""

from pathlib import Path
from typing import Final

import redis

from services.daemon import free_port
from services.redis_server import RedisServer
from services.waiting import wait_for

_SLOTS: Final = 16_384


class RedisCluster:
    """Masters that share the slots evenly, in order.

    Args:
        folder: data and logs, one folder per node; kept after the end.
        masters: how many.
        arguments: more of each server's own arguments, e.g. `["--appendfsync", "always"]`: otherwise a crash may take
            the last second with it, acknowledged or not.
    """

    def __init__(self, folder: Path, masters: int = 3, *, arguments: list[str] | None = None) -> None:
        self.nodes: list[RedisServer] = []
        self._bus_ports: list[int] = []
        try:
            for number in range(masters):
                self._start(folder / f"node{number}", arguments or [])
            self._join()
            self.wait_whole()
        except BaseException:
            self.kill()
            raise
        self.url = self.nodes[0].url

    def wait_whole(self) -> None:
        """Wait until every node sees every slot served."""
        wait_for(lambda: all(map(self._sees_all, self.nodes)), timeout=30, what="the Redis Cluster to be whole")

    def node_of(self, key: str) -> RedisServer:
        """Give the master that holds a key."""
        with redis.Redis.from_url(self.nodes[0].url) as client:
            slot = int(client.execute_command("CLUSTER KEYSLOT", key))
        return self.nodes[slot * len(self.nodes) // _SLOTS]

    def flush(self) -> None:
        """Forget every key."""
        for node in self.nodes:
            node.flush()

    def kill(self) -> None:
        """End all nodes as a crash would."""
        for node in self.nodes:
            node.kill()

    def stop(self) -> None:
        """End all nodes politely."""
        for node in self.nodes:
            node.stop()

    def _start(self, folder: Path, more: list[str]) -> None:
        bus_port = free_port()
        arguments = ["--cluster-enabled", "yes", "--cluster-port", str(bus_port), "--cluster-node-timeout", "1000"]
        self.nodes.append(RedisServer(folder, arguments=[*arguments, *more]))
        self._bus_ports.append(bus_port)

    def _join(self) -> None:
        """Give each node its slots and make them known to the first."""
        edges = [-(-_SLOTS * number // len(self.nodes)) for number in range(len(self.nodes) + 1)]
        for node, first, after in zip(self.nodes, edges, edges[1:], strict=False):
            with redis.Redis.from_url(node.url) as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", first, after - 1)
                if node is not self.nodes[0]:
                    client.execute_command("CLUSTER MEET", "127.0.0.1", self.nodes[0].port, self._bus_ports[0])

    def _sees_all(self, node: RedisServer) -> bool:
        with redis.Redis.from_url(node.url, socket_timeout=1) as client:
            info: dict[str, str] = client.execute_command("CLUSTER INFO")
        return info["cluster_state"] == "ok" and int(info["cluster_known_nodes"]) == len(self.nodes)
