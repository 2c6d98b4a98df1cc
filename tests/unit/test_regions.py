"""The table of divisions and its look-ups."""

import pytest

from models.regions import PROVINCES, by_adcode, find


def test_there_are_31_divisions_in_order_of_their_code() -> None:
    """Codes are six digits, unique and sorted."""
    codes = [province.adcode for province in PROVINCES]

    assert 31 == len(set(codes))
    assert sorted(codes) == codes
    assert all(len(code) == 6 and code.isdigit() for code in codes)


def test_tiles_do_not_overlap_and_stay_on_the_grid() -> None:
    """The map has one tile per division on rows 1 to 8 and columns 2 to 9."""
    tiles = {(province.row, province.col) for province in PROVINCES}

    assert 31 == len(tiles)
    assert all(1 <= row <= 8 and 2 <= col <= 9 for row, col in tiles)


def test_weights_are_per_mille() -> None:
    """The starting weights add up to one thousand and none is zero."""
    assert 1_000 == sum(province.weight for province in PROVINCES)
    assert all(province.weight > 0 for province in PROVINCES)


@pytest.mark.parametrize("province", PROVINCES, ids=lambda province: province.en)
def test_every_spelling_finds_its_division(province: object) -> None:
    """Code, ISO code, short and full Chinese names and English names all lead home."""
    assert isinstance(province, tuple)
    adcode, iso, zh, zh_full, en = province[:5]
    spellings = (adcode, iso, zh, zh_full, en, f" {en.upper()} ", f"{en} Province", f"{zh}省", f"{zh}市")

    assert {adcode} == {found.adcode for name in spellings if (found := find(name))}
    assert all(find(name) for name in spellings)
    assert province is by_adcode(adcode)


@pytest.mark.parametrize(
    ("name", "adcode"),
    [
        ("广西壮族自治区", "450000"),
        ("新疆维吾尔自治区", "650000"),
        ("宁夏回族自治区", "640000"),
        ("内蒙古自治区", "150000"),
        ("Inner  Mongolia Autonomous Region", "150000"),
        ("Chongqing Municipality", "500000"),
        ("上海市", "310000"),
    ],
)
def test_full_names_lose_their_suffix(name: str, adcode: str) -> None:
    """Each kind of administrative suffix is known in both languages."""
    found = find(name)

    assert found is not None
    assert adcode == found.adcode


@pytest.mark.parametrize("name", ["", "省", "香港", "440100", "unknown", " province"])
def test_what_is_not_a_division_is_none(name: str) -> None:
    """Nothing is guessed."""
    assert find(name) is None
    assert by_adcode(name) is None
