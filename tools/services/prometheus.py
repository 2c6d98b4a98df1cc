"""A real Prometheus on loopback that scrapes given targets and evaluates given rule files."""

import json
from collections.abc import Iterable
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from services.binaries import find
from services.daemon import Daemon, free_port
from services.waiting import wait_for


class Prometheus:
    """A Prometheus server with a configuration written for it.

    Args:
        folder: data, configuration and log.
        jobs: job name -> host:port, or host:port/path where the path is not /metrics.
        rules: rule files it evaluates.
        port: 0 takes a free one.
        every: seconds between scrapes and between rule evaluations.
    """

    def __init__(
        self, folder: Path, jobs: dict[str, str], rules: Iterable[Path] = (), port: int = 0, every: int = 1
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "prometheus.yml"
        config.write_text(_configuration(jobs, rules, every))
        address = f"127.0.0.1:{self.port}"
        argv = [str(find("prometheus")), f"--config.file={config}", f"--storage.tsdb.path={folder}/data"]
        self.daemon = Daemon("prometheus", [*argv, f"--web.listen-address={address}"], folder)
        try:
            wait_for(self._answers, timeout=30, what=f"Prometheus on {address}")
        except BaseException:
            self.daemon.kill()
            raise

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of an instant query."""
        with urlopen(f"{self.url}/api/v1/query?{urlencode({'query': expression})}", timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
        return [(row["metric"], float(row["value"][1])) for row in result]

    def stop(self) -> None:
        """End the server politely."""
        self.daemon.stop()

    def _answers(self) -> bool:
        self.daemon.running()
        try:
            with urlopen(f"{self.url}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


def _configuration(jobs: dict[str, str], rules: Iterable[Path], every: int) -> str:
    lines = ["global:", f"  scrape_interval: {every}s", f"  scrape_timeout: {every}s"]
    lines += [f"  evaluation_interval: {every}s", "rule_files:", *(f"  - {path}" for path in rules), "scrape_configs:"]
    for job, target in jobs.items():
        address, _, path = target.partition("/")
        lines += [f"  - job_name: {job}", f"    metrics_path: /{path or 'metrics'}"]
        lines += ["    static_configs:", f"      - targets: ['{address}']"]
    return "\n".join(lines).replace("rule_files:\nscrape", "scrape") + "\n"
