"""Settings: precedence, secrets, and one sentence per mistake."""

from pathlib import Path

import pytest

from models.errors import SettingsError
from streams.settings import PREFIX, load, names


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, _ in names():
        monkeypatch.delenv(name, raising=False)


def test_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A variable overrules the file, and the file overrules the default, value by value."""
    file = tmp_path / "watch.toml"
    file.write_text('[kafka]\ngroup = "from-file"\npartitions = 8\n', encoding="utf-8")
    monkeypatch.setenv("SUBSIDYWATCH_KAFKA__GROUP", "from-environment")

    settings = load(file)

    assert ("from-environment", 8, "127.0.0.1:9092") == (
        settings.kafka.group,
        settings.kafka.partitions,
        settings.kafka.bootstrap,
    )


def test_secret_is_read_from_a_file_and_never_printed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`password_file` gives the file's text, which no representation shows."""
    secret = tmp_path / "redis-password"
    secret.write_text("canary-7f3a\n", encoding="utf-8")
    monkeypatch.setenv("SUBSIDYWATCH_REDIS__PASSWORD_FILE", str(secret))

    settings = load()

    assert settings.redis.password is not None
    assert settings.redis.password.get_secret_value() == "canary-7f3a"
    assert "canary" not in repr(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("KAFKA__GROP", "x", "SUBSIDYWATCH_KAFKA__GROP is not a setting"),
        ("TYPO", "x", "SUBSIDYWATCH_TYPO is not a setting"),
        ("KAFKA__PARTITIONS", "many", "SUBSIDYWATCH_KAFKA__PARTITIONS (kafka.partitions) is wrong"),
        ("KAFKA__PARTITIONS", "0", "SUBSIDYWATCH_KAFKA__PARTITIONS (kafka.partitions) is wrong"),
        ("INGEST__ZONE", "Mars/Olympus", "'Mars/Olympus' is not a time zone of the IANA database"),
        ("REDIS__URL", "http://x", "SUBSIDYWATCH_REDIS__URL (redis.url) is wrong"),
        ("KAFKA__BOOTSTRAP", "127.0.0.1:9092, b", "'b' is not host:port"),
        ("KAFKA__BOOTSTRAP", "127.0.0.1:65536", "is not host:port"),
        ("REDIS__URL", "redis://127.0.0.1:sixtythree/0", "it is not redis://HOST:PORT/DATABASE"),
        ("REDIS__URL", "redis://127.0.0.1:6379/zero", "it is not redis://HOST:PORT/DATABASE"),
        ("REDIS__URL", "redis://127.0.0.1:65536/0", "it is not redis://HOST:PORT/DATABASE"),
        ("REDIS__PASSWORD_FILE", "/no/such/file", "password_file cannot be read: /no/such/file"),
        ("SERVE__HOST", "", "SUBSIDYWATCH_SERVE__HOST (serve.host) is wrong"),
        ("WORKER__METRICS_HOST", "", "SUBSIDYWATCH_WORKER__METRICS_HOST (worker.metrics_host) is wrong"),
        ("RULES__GUARDS__MODE", "yolo", "SUBSIDYWATCH_RULES__GUARDS__MODE (rules.guards.mode) is wrong"),
        (
            "RULES__DETECTOR__KIND",
            "guess",
            "RULES__DETECTOR__KIND (rules.detector.kind) is wrong: take one of shiryaev",
        ),
        ("RULES__ALLOCATOR__RULE", "guess", "(rules.allocator.rule) is wrong: take one of split_by_value"),
    ],
)
def test_mistake_is_one_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
) -> None:
    """A wrong variable stops the start with its own name in one line."""
    monkeypatch.setenv(PREFIX + variable, value)

    with pytest.raises(SettingsError) as error:
        load()

    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[kafka]\ngrop = 1\n", "(kafka.grop) is not a setting"),
        ("[kafka\n", "is not TOML"),
        (None, "cannot read the settings file"),
    ],
)
def test_wrong_file_is_one_sentence(tmp_path: Path, text: str | None, sentence: str) -> None:
    """A file that is missing, broken or misspelt is named."""
    file = tmp_path / "watch.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")

    with pytest.raises(SettingsError) as error:
        load(file)

    assert sentence in str(error.value)


def test_hash_follows_the_content_of_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal rules have equal hashes; another bound gives another hash."""
    before = load().rules.config_hash
    again = load().rules.config_hash
    monkeypatch.setenv("SUBSIDYWATCH_RULES__GUARDS__COOLDOWN_S", "60")

    after = load().rules.config_hash

    assert before == again
    assert before != after


def test_every_setting_says_what_it_is_for() -> None:
    """No setting comes without a description: the README's table is made of them."""
    assert [] == [name for name, field in names() if not field.description]
