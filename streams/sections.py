"""The sections of the settings: every name, its bounds and its one sentence of help.

A new setting is one field here; the README's table, `.env.example` and
`config show` follow from it.
"""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator, model_validator

_HOST: Final = r"(\[[0-9a-fA-F:.]+\]|[^\s:,/@\[\]]+)"
_PORT: Final = r":([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_SERVER: Final = re.compile(_HOST + _PORT)
_URL: Final = re.compile(rf"unix://\S+|rediss?://([^/@\s]*@)?({_HOST})?({_PORT})?(/[0-9]{{0,5}})?(\?\S*)?")


class _Section(BaseModel):
    """A frozen group of settings; an unknown name is an error, because it is a typing mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(_Section):
    """Where Kafka is and how this group reads it."""

    bootstrap: str = Field("127.0.0.1:9092", min_length=3, description="Comma-separated host:port of the brokers.")
    group: str = Field("subsidywatch.v1", min_length=1, max_length=200, description="Consumer group of the workers.")
    instance_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
        description="Name of this worker in the group, its own for each: restarted under it, it goes on at once; "
        "stopped for good, its partitions wait for the session to end.",
    )
    session_timeout_s: float = Field(10.0, ge=6, le=300, description="A silent worker loses its partitions after this.")
    heartbeat_s: float = Field(2.0, ge=0.1, le=60, description="Pause between heartbeats to the group coordinator.")
    request_timeout_s: float = Field(20.0, ge=1, le=300, description="Longest wait for one answer of a broker.")
    commit_interval_s: float = Field(
        1.0, ge=0.1, le=60, description="Pause between offset commits, a hint for lag tools."
    )
    fetch_max_wait_ms: int = Field(100, ge=1, le=5_000, description="Longest wait of the broker for data to fetch.")
    fetch_max_bytes: int = Field(
        4_194_304, ge=65_536, le=104_857_600, description="Most bytes of one partition's fetch."
    )
    partitions: int = Field(4, ge=1, le=1_024, description="Partitions of each input topic, for `topics create`.")
    replication: int = Field(1, ge=1, le=10, description="Replication factor, for `topics create`.")

    @field_validator("bootstrap")
    @classmethod
    def _addresses(cls, text: str) -> str:
        for server in text.split(","):
            if not _SERVER.fullmatch(server.strip()):
                raise ValueError(f"{server.strip()!r} is not host:port")
        return text


class RedisSettings(_Section):
    """Where the totals live."""

    url: str = Field("redis://127.0.0.1:6379/0", description="Address of Redis or Valkey.")
    username: str | None = Field(None, description="ACL user.")
    password: SecretStr | None = Field(None, description="Its password.")
    password_file: Path | None = Field(None, description="File that holds the password, instead of `password`.")
    prefix: str = Field("sw", pattern=r"^[a-z0-9_-]{1,20}$", description="First part of every key.")
    shards: int = Field(1, ge=1, le=256, description="Hash tags the keys are spread over; 1 on a single Redis.")
    timeout_s: float = Field(5.0, ge=0.05, le=60, description="Longest wait for one answer.")
    cluster: bool = Field(
        False, description="The address is a node of a Redis Cluster; set `shards` to spread over it."
    )

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        if not _URL.fullmatch(url):  # never quoted: it may hold a password
            raise ValueError("it is not redis://HOST:PORT/DATABASE, rediss://HOST:PORT/DATABASE or unix://PATH")
        return url

    @field_validator("password_file")
    @classmethod
    def _password_can_be_read(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        if path is not None:
            if info.data.get("password") is not None:
                raise ValueError("give password or password_file, not both")
            _secret(path)
        return path

    @model_validator(mode="after")
    def _read_password(self) -> Self:
        if self.password_file is None:
            return self
        return self.model_copy(update={"password": _secret(self.password_file), "password_file": None})


class IngestSettings(_Section):
    """What is accepted and how it is counted."""

    zone: str = Field("Asia/Shanghai", description="Zone of days, `today` and `yesterday`.")
    max_future_s: int = Field(300, ge=0, le=86_400, description="Event time may run this far ahead of the broker's.")
    lateness_s: float = Field(
        2.0, ge=0, le=3_600, description="Allowed lateness before a second of evidence is closed."
    )
    idle_s: float = Field(
        5.0, ge=0.5, le=3_600, description="A partition silent this long no longer holds the watermark."
    )
    max_event_bytes: int = Field(
        65_536, ge=256, le=1_048_576, description="Longest record; longer ones are dead-lettered."
    )
    duplicate_window: int = Field(
        100_000,
        ge=0,
        le=2_000_000,
        description="Records of a partition a repeated click or impression is known for; 0: none.",
    )
    dead_letter_limit: int = Field(
        0,
        ge=0,
        le=1_000_000_000,
        description="Dead letters after which the worker stops; 0: no limit. Raised live by `dlq limit`.",
    )

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{name!r} is not a time zone of the IANA database") from error
        return name


class AttributionSettings(_Section):
    """Which click an order line counts for."""

    window_days: int = Field(15, ge=1, le=15, description="A click counts for orders placed this many days after it.")
    lateness_s: int = Field(
        86_400, ge=0, le=86_400, description="Orders may be this late and still find every click they could count for."
    )
    halo: Literal["shop", "brand_category", "none"] = Field(
        "shop", description="Which orders of other products total ROI admits."
    )
    brand: str | None = Field(None, max_length=200, description="The advertised brand, for halo brand_category.")
    cap_micros: int = Field(
        20_000_000_000, ge=1, le=10**15, description="A line's amount is cut here in capped ROI, in micros."
    )


class WorkerSettings(_Section):
    """How the worker process behaves."""

    metrics_host: str = Field(
        "127.0.0.1", min_length=1, description="Address of the worker's /metrics, /healthz and /readyz."
    )
    metrics_port: int = Field(9101, ge=0, le=65_535, description="Port of the same; 0 takes a free one.")
    decide_interval_s: float = Field(1.0, ge=0.05, le=60, description="Pause between runs of the decide line.")
    shutdown_s: float = Field(8.0, ge=1, le=60, description="The process ends this long after SIGTERM at the latest.")
    stall_s: float = Field(
        60.0, ge=5, le=3_600, description="A worker with work and no progress for this long dumps its stacks and ends."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: console on a terminal, else JSON."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")


class ServeSettings(_Section):
    """The read API and the live page."""

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(8080, description="Port to listen on.")
    refresh_s: float = Field(1.0, ge=0.2, le=60, description="Pause between pushes to the live page.")
    top_campaigns: int = Field(
        50, ge=1, le=50, description="Campaigns with a metric of their own; the rest is `other`."
    )
    max_streams: int = Field(100, ge=1, le=10_000, description="Live pages served at once.")


def _secret(path: Path) -> SecretStr:
    try:
        return SecretStr(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"password_file cannot be read: {path}") from error
