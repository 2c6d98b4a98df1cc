"""The 31 province-level divisions of the mainland: codes, names, tile map and starting weights.

One tile per division on an 8 x 9 grid (rows 1 to 8 from north to south,
columns 2 to 9 from west to east): no geometry, so small and free of borders.
Divisions outside the programme are not in the table; they are `unknown`.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from models.units import Region


class Province(NamedTuple):
    """One division.

    Attributes:
        adcode: GB/T 2260 code, six digits.
        iso: ISO 3166-2 code.
        zh: short Chinese name.
        zh_full: Chinese name with its administrative suffix.
        en: English name.
        row: tile row, 1 to 8 from north to south.
        col: tile column, 2 to 9 from west to east.
        weight: share of orders in per mille, for scenarios; all together 1000.
    """

    adcode: Region
    iso: str
    zh: str
    zh_full: str
    en: str
    row: int
    col: int
    weight: int


PROVINCES: Final[tuple[Province, ...]] = (
    Province(Region("110000"), "CN-BJ", "北京", "北京市", "Beijing", 3, 7, 72),
    Province(Region("120000"), "CN-TJ", "天津", "天津市", "Tianjin", 3, 8, 41),
    Province(Region("130000"), "CN-HE", "河北", "河北省", "Hebei", 4, 7, 36),
    Province(Region("140000"), "CN-SX", "山西", "山西省", "Shanxi", 4, 6, 18),
    Province(Region("150000"), "CN-NM", "内蒙古", "内蒙古自治区", "Inner Mongolia", 2, 7, 9),
    Province(Region("210000"), "CN-LN", "辽宁", "辽宁省", "Liaoning", 3, 9, 42),
    Province(Region("220000"), "CN-JL", "吉林", "吉林省", "Jilin", 2, 9, 16),
    Province(Region("230000"), "CN-HL", "黑龙江", "黑龙江省", "Heilongjiang", 1, 9, 15),
    Province(Region("310000"), "CN-SH", "上海", "上海市", "Shanghai", 5, 9, 118),
    Province(Region("320000"), "CN-JS", "江苏", "江苏省", "Jiangsu", 5, 8, 68),
    Province(Region("330000"), "CN-ZJ", "浙江", "浙江省", "Zhejiang", 6, 8, 71),
    Province(Region("340000"), "CN-AH", "安徽", "安徽省", "Anhui", 5, 7, 22),
    Province(Region("350000"), "CN-FJ", "福建", "福建省", "Fujian", 7, 8, 19),
    Province(Region("360000"), "CN-JX", "江西", "江西省", "Jiangxi", 6, 7, 16),
    Province(Region("370000"), "CN-SD", "山东", "山东省", "Shandong", 4, 8, 59),
    Province(Region("410000"), "CN-HA", "河南", "河南省", "Henan", 5, 6, 31),
    Province(Region("420000"), "CN-HB", "湖北", "湖北省", "Hubei", 6, 6, 5),
    Province(Region("430000"), "CN-HN", "湖南", "湖南省", "Hunan", 7, 6, 40),
    Province(Region("440000"), "CN-GD", "广东", "广东省", "Guangdong", 7, 7, 88),
    Province(Region("450000"), "CN-GX", "广西", "广西壮族自治区", "Guangxi", 7, 5, 17),
    Province(Region("460000"), "CN-HI", "海南", "海南省", "Hainan", 8, 6, 8),
    Province(Region("500000"), "CN-CQ", "重庆", "重庆市", "Chongqing", 5, 5, 37),
    Province(Region("510000"), "CN-SC", "四川", "四川省", "Sichuan", 5, 4, 71),
    Province(Region("520000"), "CN-GZ", "贵州", "贵州省", "Guizhou", 6, 5, 14),
    Province(Region("530000"), "CN-YN", "云南", "云南省", "Yunnan", 7, 4, 29),
    Province(Region("540000"), "CN-XZ", "西藏", "西藏自治区", "Tibet", 5, 2, 2),
    Province(Region("610000"), "CN-SN", "陕西", "陕西省", "Shaanxi", 4, 5, 18),
    Province(Region("620000"), "CN-GS", "甘肃", "甘肃省", "Gansu", 4, 4, 7),
    Province(Region("630000"), "CN-QH", "青海", "青海省", "Qinghai", 4, 3, 3),
    Province(Region("640000"), "CN-NX", "宁夏", "宁夏回族自治区", "Ningxia", 3, 5, 4),
    Province(Region("650000"), "CN-XJ", "新疆", "新疆维吾尔自治区", "Xinjiang", 3, 2, 4),
)
"""All divisions, in order of their code."""

_SUFFIXES_ZH: Final = ("维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "省", "市")
_SUFFIXES_EN: Final = (" autonomous region", " municipality", " province", " city")


@lru_cache(maxsize=1)
def _codes() -> dict[str, Province]:
    return {str(province.adcode): province for province in PROVINCES}


@lru_cache(maxsize=1)
def _names() -> dict[str, Province]:
    names: dict[str, Province] = {}
    for province in PROVINCES:
        for name in (province.adcode, province.iso, province.zh, province.zh_full, province.en):
            names[name.casefold()] = province
    return names


def by_adcode(adcode: str) -> Province | None:
    """Give the division with this six-digit code; None when there is none."""
    return _codes().get(adcode)


def find(name: str) -> Province | None:
    """Give the division by code or name; None when nothing fits.

    Chinese or English, any letter case, with or without the administrative
    suffix, any run of blanks: `广西`, `广西壮族自治区`, `guangdong  province`, `CN-GD`, `440000`.
    """
    wanted = " ".join(name.split()).casefold()
    for suffix in ("", *_SUFFIXES_ZH, *_SUFFIXES_EN):
        if wanted.endswith(suffix) and (province := _names().get(wanted.removesuffix(suffix))):
            return province
    return None
