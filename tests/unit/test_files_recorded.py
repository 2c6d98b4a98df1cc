"""Recorded files as one stream: order of arrival, topics by name, disturbance on purpose."""

from collections import Counter
from pathlib import Path

import pytest

from models.errors import InputFileError, SettingsError
from models.units import EpochMs
from streams.files.disturbing import FARTHEST, disturb
from streams.files.payloads import PayloadFolder
from streams.files.recorded import Recorded, Recording, key_of, topic_of

NOW = EpochMs(1_800_000_000_000)


def write(path: Path, times: list[int]) -> Path:
    """Write payloads that only have a time."""
    path.write_text("".join(f'{{"at":{at}}}\n' for at in times), encoding="utf-8")
    return path


def test_file_order_is_the_arrival_clock(tmp_path: Path) -> None:
    """A record arrives at the newest event time seen so far; lines that are no events arrive in their place."""
    path = tmp_path / "ads.clicks.v1.ndjson"
    path.write_bytes(b'{"at":50}\n{"at":20}\n\nnonsense\n{"at":70}\n\xff\xfe\n{"at":9999999999999}\n')

    found = list(Recording([path], None, NOW))

    assert [(50, 1), (50, 2), (50, 4), (70, 5), (70, 6), (70, 7)] == [(r.arrival, r.line) for r in found]
    assert "\ufffd" in found[4].original


def test_several_files_are_merged_by_that_clock(tmp_path: Path) -> None:
    """Files keep their own order inside the common one."""
    clicks = write(tmp_path / "ads.clicks.v1.ndjson", [10, 40, 30, 60])
    orders = write(tmp_path / "shop.orders.v1.ndjson", [20, 50])

    found = [(r.topic, r.value) for r in Recording([orders, clicks], None, NOW)]

    assert [b"10", b"20", b"40", b"30", b"50", b"60"] == [value[6:8] for _, value in found]


def test_a_folder_stands_for_its_topic_files(tmp_path: Path) -> None:
    """Other files in it are left alone; a folder without any is an error."""
    with PayloadFolder(tmp_path / "out", zipped=True) as out:
        out.write("ads.clicks.v1", b'{"at":1}')
        out.write("shop.orders.v1", b'{"at":2}')
        out.write_json("truth.json", {"a": 1})

    assert [b'{"at":1}', b'{"at":2}'] == [r.value for r in Recording([tmp_path / "out"], None, NOW)]
    with pytest.raises(InputFileError, match="holds no file named after a topic"):
        Recording([tmp_path], None, NOW)
    with pytest.raises(InputFileError, match="name an empty one"):
        PayloadFolder(tmp_path / "out", zipped=False)


def test_topic_by_name(tmp_path: Path) -> None:
    """A name begins with its topic, or is an error that says what to do."""
    assert "ads.clicks.v1" == topic_of(Path("x/ads.clicks.v1-02.ndjson.gz"))
    with pytest.raises(InputFileError, match="or give --mapping"):
        topic_of(Path("clicks.ndjson"))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and a gzip file cut short are one sentence each."""
    with pytest.raises(InputFileError, match="cannot read"):
        Recording([tmp_path / "ads.clicks.v1.ndjson"], None, NOW)
    with pytest.raises(InputFileError, match="cannot read"):
        Recording([tmp_path / "nosuch"], None, NOW)
    with PayloadFolder(tmp_path / "out", zipped=True) as out:
        for number in range(1000):
            out.write("ads.clicks.v1", b'{"at":%d}' % number)
    path = tmp_path / "out" / "ads.clicks.v1.ndjson.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputFileError, match="to its end"):
        list(Recording([path], None, NOW))


def test_byte_order_mark_is_no_part_of_the_first_record(tmp_path: Path) -> None:
    """What some editors put before the first record does not get it refused."""
    path = tmp_path / "ads.clicks.v1.ndjson"
    path.write_bytes(b'\xef\xbb\xbf{"at":1}\n\xef\xbb\xbf{"at":2}\n')

    assert [b'{"at":1}', b'\xef\xbb\xbf{"at":2}'] == [record.value for record in Recording([path], None, NOW)]


def test_progress_reaches_the_size(tmp_path: Path) -> None:
    """All bytes of all files are read in the end."""
    recording = Recording([write(tmp_path / "ads.clicks.v1.ndjson", list(range(100)))], None, NOW)
    list(recording)

    assert recording.size == recording.bytes_read() > 0


@pytest.mark.parametrize(
    ("topic", "value", "expected"),
    [
        ("ads.clicks.v1", b'{"user_id":"u","campaign_id":"c"}', b"u"),
        ("ads.impressions.v1", b'{"user_id":null,"campaign_id":"c"}', b"c"),
        ("shop.orders.v1", b'{"order_id":"o"}', b"o"),
        ("ads.campaigns.v1", b'{"user_id":"u","campaign_id":"c"}', b"c"),
        ("subsidy.announcements.v1", b'{"region":"440000"}', b"440000"),
        ("shop.stock.v1", b'{"sku":"s"}', b"s"),
        ("shop.orders.v1", b"{}", b"{}"),
        ("shop.orders.v1", b'{"user_id":1}', b'{"user_id":1}'),
    ],
)
def test_keys(topic: str, value: bytes, expected: bytes) -> None:
    """Records are keyed by user, else campaign, else order; control records by what they are about."""
    assert expected == key_of()(topic, value)


def some(count: int) -> list[Recorded]:
    """Give records one after the other."""
    return [Recorded(EpochMs(i), "ads.clicks.v1", b"%d" % i, "f", i, None) for i in range(count)]


def test_disturbance_is_repeatable_and_loses_nothing() -> None:
    """Same seed, same order; every record once, a share of them twice, none moved farther than stated."""
    first = list(disturb(some(5_000), shuffle=0.05, duplicate=0.02, seed=3))

    assert first == list(disturb(some(5_000), shuffle=0.05, duplicate=0.02, seed=3))
    assert first != list(disturb(some(5_000), shuffle=0.05, duplicate=0.02, seed=4))
    counts = Counter(record.value for record in first)
    assert 5_000 == len(counts)
    assert 60 < sum(count == 2 for count in counts.values()) < 140
    moved = [int(record.arrival) - int(record.value) for record in first]
    assert 0 < max(moved) <= FARTHEST
    assert 200 < sum(far > 0 for far in moved) < 500
    assert [record.arrival for record in first] == sorted(record.arrival for record in first)


def test_no_disturbance_changes_nothing() -> None:
    """Shares of zero hand the records on."""
    assert some(10) == list(disturb(some(10), shuffle=0, duplicate=0, seed=1))


@pytest.mark.parametrize("flags", [{"shuffle": 5, "duplicate": 0}, {"shuffle": 0, "duplicate": -0.1}])
def test_shares_are_shares(flags: dict[str, float]) -> None:
    """A percentage where a share is meant is refused."""
    with pytest.raises(SettingsError, match="is a share from 0 to 1"):
        disturb(some(1), **flags, seed=1)
