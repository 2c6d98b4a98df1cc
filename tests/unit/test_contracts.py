"""The generated contracts: up to date, valid, and true of the records we write."""

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from models.decisions import Status, Transition
from streams import contracts

FOLDER = Path(__file__).parents[2] / "contracts"


def test_the_committed_files_are_what_the_models_say() -> None:
    """Regenerating gives no difference, and nothing else lies in the folder."""
    assert contracts.files() == {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}


@pytest.mark.parametrize("channel", contracts.channels(), ids=lambda channel: channel.topic)
def test_every_schema_is_valid_json_schema(channel: contracts.Channel) -> None:
    """Each topic has a schema of the 2020-12 dialect that describes an object."""
    schema = json.loads(contracts.schema_of(channel))

    jsonschema.Draft202012Validator.check_schema(schema)
    assert "https://json-schema.org/draft/2020-12/schema" == schema["$schema"]
    assert "object" == schema["type"]


def test_what_we_write_follows_its_schema() -> None:
    """A transition as it is published validates, and one without its id does not."""
    change = Transition(
        transition_id="t", category="phone", region="440000", from_=Status.ON, to=Status.OFF, at=1, decided_at=2,
        cause="orders", config_hash="h",
    )  # fmt: skip
    schema = json.loads((FOLDER / "subsidy.transitions.v1.schema.json").read_text(encoding="utf-8"))
    record = json.loads(change.model_dump_json(by_alias=True))
    validator = jsonschema.Draft202012Validator(schema)

    assert validator.is_valid(record)
    assert not validator.is_valid({key: value for key, value in record.items() if key != "transition_id"})


def test_the_asyncapi_document_holds_together() -> None:
    """Every reference leads somewhere, and every topic is either received or sent."""
    document = yaml.safe_load((FOLDER / "asyncapi.yaml").read_text(encoding="utf-8"))
    topics = [channel.topic for channel in contracts.channels()]

    assert "3.0.0" == document["asyncapi"]
    assert topics == list(document["channels"])
    assert topics == [operation["channel"]["$ref"].split("/")[-1] for operation in document["operations"].values()]
    for topic in topics:
        message = document["channels"][topic]["messages"]["record"]["$ref"].split("/")[-1]
        assert (FOLDER / document["components"]["messages"][message]["payload"]["schema"]["$ref"]).is_file()


def test_check_tells_a_stale_file_and_writing_mends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--check` changes nothing and names what is stale; the plain run writes it."""
    folder = tmp_path / "contracts"

    assert 1 == contracts.main(["--check"], folder)
    assert "contracts/asyncapi.yaml is not what the models say" in capsys.readouterr().err
    assert 0 == contracts.main([], folder)
    assert 0 == contracts.main(["--check"], folder)
    assert contracts.files() == {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
