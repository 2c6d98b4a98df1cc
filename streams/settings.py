"""Settings: frozen, bounded, from environment, TOML and secret files; one sentence when wrong.

Precedence, highest first: command line, environment (`SUBSIDYWATCH_KAFKA__BOOTSTRAP`),
the TOML file given with `--config`, defaults. Units are in the names.
"""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from models.errors import SettingsError
from rules.settings import RuleSettings
from streams.sections import (
    AttributionSettings,
    IngestSettings,
    KafkaSettings,
    RedisSettings,
    ServeSettings,
    WorkerSettings,
)

__all__ = [
    "PREFIX",
    "AttributionSettings",
    "IngestSettings",
    "KafkaSettings",
    "RedisSettings",
    "ServeSettings",
    "Settings",
    "WorkerSettings",
    "load",
    "names",
]

PREFIX: Final = "SUBSIDYWATCH_"


class Settings(BaseSettings):
    """Everything a process is told; built once by `load`, passed down."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__")

    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    ingest: IngestSettings = IngestSettings()
    attribution: AttributionSettings = AttributionSettings()
    worker: WorkerSettings = WorkerSettings()
    serve: ServeSettings = ServeSettings()
    rules: RuleSettings = RuleSettings()

    @property
    def zone(self) -> ZoneInfo:
        """Zone of days."""
        return ZoneInfo(self.ingest.zone)


def load(config: Path | None = None) -> Settings:
    """Build the settings from the environment, a TOML file and defaults, in this precedence.

    Args:
        config: TOML file with sections as in `Settings`; None for none.

    Raises:
        SettingsError: one sentence that names the first wrong variable.
    """
    _refuse_unknown_names()
    if config is not None:
        _check_toml(config)

    class Loaded(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            files = (TomlConfigSettingsSource(settings_cls, config),) if config else ()
            return init_settings, env_settings, *files

    try:
        return Loaded()
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None


def names(model: type[BaseModel] = Settings, prefix: str = PREFIX) -> Iterator[tuple[str, FieldInfo]]:
    """Give every variable with its field, in declaration order: the table of the README and of `config show`."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from names(kind, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}", field


def _refuse_unknown_names() -> None:
    known = {name for name, _ in names()}
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise SettingsError(f"{name} is not a setting; `subsidywatch config show` lists them")


def _check_toml(path: Path) -> None:
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {path} is not TOML: {error}") from None


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    variable = PREFIX + "__".join(path).upper()
    if first["type"] == "extra_forbidden":
        return f"{variable} ({'.'.join(path)}) is not a setting; `subsidywatch config show` lists them"
    return f"{variable} ({'.'.join(path)}) is wrong: {first['msg'].removeprefix('Value error, ')}"
