"""The container files hold what they promise, judged by schemas and linters, since nothing here runs a container."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.settings import WorkerSettings

BIN = Path(sys.executable).parent
OURS = ("topics", "worker", "serve")


@pytest.fixture(scope="module")
def compose(project_root: Path) -> dict[str, dict[str, Any]]:
    """Services of the compose file."""
    loaded: dict[str, dict[str, Any]] = yaml.safe_load((project_root / "docker-compose.yml").read_text())["services"]
    return loaded


@pytest.mark.parametrize(
    "command",
    [
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
        ["yamllint", "-s", "-c", ".yamllint.yml", "docker-compose.yml", "deploy", ".pre-commit-config.yaml"],
        ["hadolint", "deploy/Dockerfile"],
    ],
    ids=["compose-schema", "yamllint", "hadolint"],
)
def test_linter_is_content(command: list[str], project_root: Path) -> None:
    """Schema-aware linters find nothing."""
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=project_root, capture_output=True, text=True, check=False
    )

    assert (0, "") == (done.returncode, done.stdout.removeprefix("ok -- validation done\n") + done.stderr)


def test_every_image_has_an_exact_version(compose: dict[str, dict[str, Any]], project_root: Path) -> None:
    """`latest` and bare names would make two installs differ."""
    images = [service["image"] for service in compose.values()]
    bases = [
        line.split()[1] for line in (project_root / "deploy/Dockerfile").read_text().splitlines() if line[:5] == "FROM "
    ]

    floating = [image for image in images + bases if image.partition(":")[2].split("-")[0].count(".") < 2]

    assert [] == floating


def test_ports_are_on_loopback(compose: dict[str, dict[str, Any]]) -> None:
    """Nothing is offered to the network by default."""
    ports = [port for service in compose.values() for port in service.get("ports", [])]

    assert [] == [port for port in ports if not port.startswith("127.0.0.1:")]


@pytest.mark.parametrize("key", ["mem_limit", "cpus", "cap_drop", "security_opt", "stop_grace_period", "healthcheck"])
def test_every_service_is_bounded(compose: dict[str, dict[str, Any]], key: str) -> None:
    """Limits, dropped rights, time to stop and a health check are everybody's."""
    assert [] == [name for name, service in compose.items() if key not in service]


def test_only_kafka_writes_its_own_image(compose: dict[str, dict[str, Any]]) -> None:
    """The root file system is read-only but for the broker, whose entry script writes its configuration."""
    assert ["kafka"] == [name for name, service in compose.items() if not service.get("read_only")]


def test_containers_stop_later_than_the_worker_does(compose: dict[str, dict[str, Any]]) -> None:
    """The worker's own bound must end it before the container is killed."""
    bound = WorkerSettings().shutdown_s

    assert [] == [name for name in OURS if float(compose[name]["stop_grace_period"].rstrip("s")) <= bound + 2]


def test_redis_keeps_everything(compose: dict[str, dict[str, Any]]) -> None:
    """The totals live there: append-only file on, bounded memory, nothing evicted."""
    command = " ".join(compose["redis"]["command"])

    assert all(words in command for words in ("--appendonly yes", "--maxmemory 768mb", "--maxmemory-policy noeviction"))


def test_image_runs_our_command_as_nobody(project_root: Path) -> None:
    """Numeric user, exec form, safe path."""
    lines = (project_root / "deploy/Dockerfile").read_text().splitlines()

    assert "USER 65532:65532" in lines
    assert 'ENTRYPOINT ["subsidywatch"]' in lines
    assert any("PYTHONSAFEPATH=1" in line for line in lines)
