"""Mapping files: any row-wise file becomes events, exactly, and a wrong mapping says where it is wrong."""

import gzip
from pathlib import Path

import pytest

from cases.mapped import CLICKS, bodies, records
from models.errors import InputFileError


def test_csv_row_becomes_an_event(tmp_path: Path) -> None:
    """Type by column, template, time with zone, lookup, translation and money unit give one click."""
    found = records(tmp_path, CLICKS, b"id|kind|ts|place|user|fen|test\n7|c|2025-06-01 08:00:00|9|-|12.34|no\n")

    assert [
        {
            "event_id": "7-c",
            "at": 1_748_736_000_000,
            "region": "440000",
            "campaign_id": "k1",
            "user_id": "nobody",
            "spend_micros": 123_400,
        }
    ] == bodies(found)
    assert ("ads.clicks.v1", 2, "7|c|2025-06-01 08:00:00|9|-|12.34|no") == (
        found[0].topic,
        found[0].line,
        found[0].text,
    )


def test_rows_are_dropped_by_a_column(tmp_path: Path) -> None:
    """A row that a condition rules out, or whose type is not in the table, gives nothing."""
    content = b"id|kind|ts|place|user|fen|test\n1|c|x|9|u|1|yes\n2|z|x|9|u|1|no\n"

    assert [] == records(tmp_path, CLICKS, content)


def test_encoding_and_gzip(tmp_path: Path) -> None:
    """Chinese text in its encoding is read through gzip, whatever the file is called."""
    content = "id|kind|ts|place|user|fen|test\n1|c|2025-06-01 08:00:00|9|小米|1|no\n".encode("gb18030")

    assert "小米" == bodies(records(tmp_path, CLICKS, gzip.compress(content)))[0]["user_id"]


def test_wrong_encoding_is_one_sentence(tmp_path: Path) -> None:
    """Bytes that do not fit the encoding are an error that names it."""
    mapping = CLICKS.replace("gb18030", "utf-8")

    with pytest.raises(InputFileError, match="not utf-8"):
        records(tmp_path, mapping, "id|kind|ts|place|user|fen|test\n1|c|x|9|小米|1|no\n".encode("gb18030"))


@pytest.mark.parametrize(
    ("encoding", "quote", "content", "message"),
    [
        ("utf-16", "", b"kind|id", "is not utf-16"),
        ("utf-8", 'quote = "\'"', b"'kind'x|id\n", "does not begin with a line of column names"),
        ("utf-8", "", gzip.compress(b"kind|id\n" * 99, mtime=0)[:10] + b"\xff" * 40, "to its end"),
    ],
    ids=["no byte-order mark", "quotes in the header", "damaged gzip"],
)
def test_file_of_another_kind_is_one_sentence(
    tmp_path: Path, encoding: str, quote: str, content: bytes, message: str
) -> None:
    """A file that is not what the mapping says ends the run with a sentence that names it."""
    mapping = CLICKS.replace('encoding = "gb18030"', f'encoding = "{encoding}"\n{quote}')

    with pytest.raises(InputFileError, match=message):
        records(tmp_path, mapping, content)


def test_cells_that_cannot_be_converted_go_through(tmp_path: Path) -> None:
    """Bad time and bad money stay text for the contract to refuse; an empty cell is null."""
    content = b"id|kind|ts|place|user|fen|test\n1|c|soon|77||many|no\n"

    body = bodies(records(tmp_path, CLICKS, content))[0]

    assert ("soon", "unknown", None, "many") == (body["at"], body["region"], body["user_id"], body["spend_micros"])


def test_money_is_never_rounded(tmp_path: Path) -> None:
    """An amount finer than a micro is not an amount; one of 0.1 is exact."""
    content = b"id|kind|ts|place|user|fen|test\n1|c|x|9|u|0.00001|no\n2|c|x|9|u|0.1|no\n3|c|x|9|u|1e999999|no\n"

    assert ["0.00001", 1_000, "1e999999"] == [
        body["spend_micros"] for body in bodies(records(tmp_path, CLICKS, content))
    ]


def test_broken_rows_keep_their_text(tmp_path: Path) -> None:
    """A row with too few cells goes on as its text, to be refused with its line number."""
    found = records(tmp_path, CLICKS, b"id|kind|ts|place|user|fen|test\n1|c\n")

    assert [(2, b"1|c")] == [(record.line, record.value) for record in found]


def test_missing_column_is_an_error_before_the_first_event(tmp_path: Path) -> None:
    """The column is named, and nothing is read."""
    with pytest.raises(InputFileError, match="does not have the column 'fen'"):
        records(tmp_path, CLICKS, b"id|kind|ts|place|user|test\n1|c|x|9|u|no\n")


def test_header_names_with_blanks(tmp_path: Path) -> None:
    """A header with blanks around its names is found with and without them; two of a name are an error."""
    content = b"id |kind|ts|place| user|fen|test\n1|c|x|9|u|1|no\n"

    assert "1-c" == bodies(records(tmp_path, CLICKS, content))[0]["event_id"]
    with pytest.raises(InputFileError, match="has twice the column 'id'"):
        records(tmp_path, CLICKS, b"id|id|kind|ts|place|user|fen|test\n")


def test_empty_file_is_an_error(tmp_path: Path) -> None:
    """A CSV file without a header line is refused."""
    with pytest.raises(InputFileError, match="is empty"):
        records(tmp_path, CLICKS, b"")


NDJSON = """
[file]
format = "ndjson"
arrival = { column = "seen", time = "epoch_s" }

[[event]]
type = "order"
[event.fields]
event_id = { column = "id" }
at = { column = "when.at", time = "iso", zone = "UTC" }
placed_at = { column = "when.at", time = "iso", zone = "UTC" }
region = { column = "where" }
order_id = { column = "id" }
line = { constant = 1 }
status = { constant = "placed" }
quantity = { column = "n" }
amount_micros = { column = "sum" }
gift = { column = "free" }
"""


def test_ndjson_with_nested_columns_and_arrival(tmp_path: Path) -> None:
    """Dots go down, JSON numbers stay exact, a province is found by name, arrival has its own column."""
    row = (
        '{"id": "o1", "when": {"at": "2025-06-01T08:00:00+08:00"}, "where": "广西", "n": 2,'
        ' "sum": 0.1, "free": false, "seen": 1748736060.5}'
    )

    found = records(tmp_path, NDJSON, (row + "\n\n").encode(), "orders.ndjson")

    assert [
        {
            "event_id": "o1",
            "at": 1_748_736_000_000,
            "placed_at": 1_748_736_000_000,
            "region": "450000",
            "order_id": "o1",
            "line": 1,
            "status": "placed",
            "quantity": 2,
            "amount_micros": 100_000,
            "gift": False,
        }
    ] == bodies(found)
    assert 1_748_736_060_500 == found[0].arrival


def test_ndjson_line_that_is_no_object(tmp_path: Path) -> None:
    """Garbage between objects goes on as its text."""
    good = '{"id": "o1", "when": {"at": "x"}, "where": "广西", "n": 2, "sum": 1, "free": false, "seen": 1}'

    found = records(tmp_path, NDJSON, f"{good}\n[1]\n{{oops\n".encode(), "orders.ndjson")

    assert [(2, b"[1]"), (3, b"{oops")] == [(record.line, record.value) for record in found[1:]]


def test_ndjson_column_that_is_nowhere(tmp_path: Path) -> None:
    """A column that no object has is an error before the first event."""
    with pytest.raises(InputFileError, match="does not have the column"):
        records(tmp_path, NDJSON, b'{"id": "o1"}\n', "orders.ndjson")


def test_lookup_in_a_file(tmp_path: Path) -> None:
    """A two-column CSV beside the mapping serves as lookup table."""
    (tmp_path / "places.csv").write_text("id,adcode\n9,510000\n", encoding="utf-8")
    mapping = CLICKS.replace(
        '[lookups.places]\n"9" = "440000"', '[lookups.places]\nfile = "places.csv"\nkey = "id"\nvalue = "adcode"'
    )

    content = b"id|kind|ts|place|user|fen|test\n1|c|x|9|u|1|no\n"

    assert "510000" == bodies(records(tmp_path, mapping, content))[0]["region"]
