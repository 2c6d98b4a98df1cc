"""Backtest: the live core over files, with every file of the result as promised."""

import asyncio
import json
from pathlib import Path

import pytest

from models.errors import InputFileError
from models.scenario.ledger import Ledger
from models.scenario.world import START, World
from models.units import MINUTE_MS, EpochMs
from models.windows import Scope
from streams.backtesting import run_backtest
from streams.files.csv_tables import header
from streams.files.disturbing import disturb
from streams.files.payloads import PayloadFolder
from streams.files.recorded import Recording
from streams.settings import Settings

NOW = EpochMs(1_800_000_000_000)
MINUTES = 60


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ledger]:
    """An hour of wave-31 in files, and its own sums."""
    folder, ledger, world = tmp_path_factory.mktemp("wave"), Ledger(), World(21, rate=20)
    records = world.opening()
    for minute in range(MINUTES):
        records.extend(world.step(EpochMs(START + minute * MINUTE_MS)))
    with PayloadFolder(folder, zipped=False) as out:
        for record in records:
            out.write(record.topic, json.dumps(record.body).encode())
            ledger.add(record)
    return folder, ledger


def run(
    files: list[Path], out: Path, *, shuffle: float = 0, duplicate: float = 0, tick: float = 5
) -> dict[str, object]:
    """Run a backtest and give its summary."""
    with Recording(files, None, NOW) as recording:
        records = disturb(recording, shuffle=shuffle, duplicate=duplicate, seed=5)
        return asyncio.run(run_backtest(records, recording, Settings(), out, tick))


def lines(path: Path) -> list[dict[str, object]]:
    """Read NDJSON."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def table(path: Path) -> dict[str, list[str]]:
    """Read a CSV table by its first column."""
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    return {row[0]: row[1:] for row in rows}


def test_totals_equal_the_scenarios_own_sums(recorded: tuple[Path, Ledger], tmp_path: Path) -> None:
    """Every counter of every region and campaign is what the world emitted."""
    folder, ledger = recorded
    summary = run([folder], tmp_path)

    for by, name in ((Scope.REGION, "totals_by_region.csv"), (Scope.CAMPAIGN, "totals_by_campaign.csv")):
        found = table(tmp_path / name)
        columns = header(by)[2:18]
        assert list(header(by)[1:]) == found.pop(header(by)[0])
        assert "total" == list(found)[-1]
        found.pop("total")
        expected = {
            member: [str(getattr(cell, column)) for column in columns]
            for member, cell in ledger.totals(by.value).items()
        }
        assert expected == {member: cells[1:17] for member, cells in found.items()}
    assert (0, 0, ledger.records) == (summary["rejected"], summary["duplicates"], summary["accepted"])


def test_shuffled_run_has_the_same_tables(recorded: tuple[Path, Ledger], tmp_path: Path) -> None:
    """Holding back 5 % of the records changes no cell."""
    run([recorded[0]], tmp_path / "plain")
    run([recorded[0]], tmp_path / "shuffled", shuffle=0.05)

    for name in ("totals_by_region.csv", "totals_by_campaign.csv"):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "shuffled" / name).read_bytes()


def test_repeated_orders_count_once(recorded: tuple[Path, Ledger], tmp_path: Path) -> None:
    """Repeating 5 % of the order records, shuffled as well, changes no cell and is counted."""
    orders = recorded[0] / "shop.orders.v1.ndjson"
    run([orders], tmp_path / "plain")
    summary = run([orders], tmp_path / "repeated", shuffle=0.05, duplicate=0.05)

    for name in ("totals_by_region.csv", "totals_by_campaign.csv"):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "repeated" / name).read_bytes()
    assert int(str(summary["records"])) - int(str(summary["duplicates"])) == len(orders.read_bytes().splitlines())


def test_decisions_do_not_depend_on_the_tick(recorded: tuple[Path, Ledger], tmp_path: Path) -> None:
    """Deciding more often finds the same transitions, sooner."""
    run([recorded[0]], tmp_path / "often", tick=1)
    run([recorded[0]], tmp_path / "seldom", tick=60)
    often, seldom = (lines(tmp_path / name / "transitions.ndjson") for name in ("often", "seldom"))

    when = [[int(str(change.pop("detected_at"))) for change in run] for run in (often, seldom)]

    assert often == seldom
    assert all(soon <= late for soon, late in zip(*when, strict=True))


def test_announced_states_are_found(recorded: tuple[Path, Ledger], tmp_path: Path) -> None:
    """Each region leaves UNKNOWN for the state that the world was in, with the columns of the topic."""
    run([recorded[0]], tmp_path)
    truth = World(21).truth(EpochMs(START + 1)).initially_on

    first: dict[object, object] = {}
    for change in lines(tmp_path / "transitions.ndjson"):
        first.setdefault(change["region"], change["to"])

    assert {region: "ON" if on else "OFF" for region, on in truth.items()} == first


def test_refused_rows_come_with_file_and_line(tmp_path: Path) -> None:
    """Garbage, a missing field and an unknown region are listed with their reason, the good row counts."""
    good = {"event_id": "e", "at": 1, "region": "440000", "campaign_id": "k", "user_id": "u", "spend_micros": 5}
    rows = [json.dumps(good), "{oops", json.dumps({**good, "region": "999999"}), json.dumps({"event_id": "x"})]
    path = tmp_path / "ads.clicks.v1.ndjson"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")

    summary = run([path], tmp_path / "out")
    refused = lines(tmp_path / "out" / "rejected.ndjson")

    assert [("not_json", 2, "{oops"), ("unknown_region", 3, rows[2]), ("missing_field", 4, rows[3])] == [
        (row["reason"], row["line"], row["text"]) for row in refused
    ]
    assert {str(path)} == {row["file"] for row in refused}
    assert {"missing_field": 1, "not_json": 1, "unknown_region": 1} == summary["rejected_by_reason"]
    assert "5" == table(tmp_path / "out" / "totals_by_region.csv")["440000"][3]


def test_events_of_the_future_are_refused(tmp_path: Path) -> None:
    """A time past the wall clock moves nothing and is refused as a broker's clock would have it."""
    good = {"event_id": "e", "at": NOW - 10, "region": "440000", "campaign_id": "k", "user_id": "u", "spend_micros": 5}
    path = tmp_path / "ads.clicks.v1.ndjson"
    path.write_text(
        "".join(json.dumps({**good, "event_id": f"e{at}", "at": at}) + "\n" for at in (NOW - 10, NOW + 10**9, NOW - 5)),
        encoding="utf-8",
    )

    summary = run([path], tmp_path / "out")

    assert ({"future": 1}, 2) == (summary["rejected_by_reason"], summary["accepted"])


def test_summary_names_the_rules(recorded: tuple[Path, Ledger], tmp_path: Path) -> None:
    """The summary carries the hash of the rules, the counts per topic and the cost."""
    summary = run([recorded[0]], tmp_path)

    assert json.loads((tmp_path / "summary.json").read_text()) == summary
    assert Settings().rules.config_hash == summary["config_hash"]
    assert sum(dict(summary["records_by_topic"]).values()) == summary["records"]  # type: ignore[call-overload]


def test_folder_that_cannot_be_written(recorded: tuple[Path, Ledger], tmp_path: Path) -> None:
    """A file where the folder should be is one sentence."""
    (tmp_path / "out").write_text("")

    with pytest.raises(InputFileError, match="cannot write into the folder"):
        run([recorded[0]], tmp_path / "out")
