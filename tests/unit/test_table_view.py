"""The terminal table: widths, words, marks, and columns that leave when it gets narrow."""

import unicodedata
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from models.decisions import BudgetShift, Evidence, Leg, ShiftEvidence, Status, Transition
from models.totals import Totals
from models.units import MINUTE_MS, EpochMs
from models.windows import Scope, Span
from streams.readlog import Feed
from streams.readmeta import Meta
from streams.readmodel import Table, build
from streams.readstatus import RegionStatus, status_counts
from streams.terminal.screen import Screen, plain, screen_lines
from streams.terminal.view import ViewData, pad, table_lines
from streams.wording import age, percent, printable, whole

NOON = EpochMs(1_750_046_400_000)  # 2025-06-16 12:00 in Shanghai
GUANGDONG = Totals(
    clicks=68_761,
    spend_micros=25_571_000_000,
    direct_orders=533,
    direct_gmv_micros=1_191_009_000_000,
    total_orders=533,
    total_gmv_micros=2_173_535_000_000,
)


def seeded(**more: Totals) -> Table:
    """Give a table with Guangdong as in the case study, and others."""
    span = Span(EpochMs(NOON - 60 * MINUTE_MS), EpochMs(NOON + MINUTE_MS))
    return build({"440000": GUANGDONG, **more}, Scope.REGION, "today", span, NOON, {})


def change() -> Transition:
    """Give a transition to OFF found in the orders."""
    return Transition(
        transition_id="9c03fe" + "0" * 26,
        category="phone",
        region="440000",
        from_=Status.ON,
        to=Status.OFF,
        at=NOON - 11 * MINUTE_MS,
        decided_at=NOON - 8 * MINUTE_MS,
        cause="orders",
        evidence=Evidence(orders=12, subsidised=0, recent=((0, 5), (0, 7)), base_percent=Decimal(70)),
        config_hash="c41f9e2b00000000",
    )


def shift() -> BudgetShift:
    """Give the shift that answers `change`."""
    leg = Leg(
        campaign="c1",
        region="440000",
        old_micros=18_000_000_000,
        old_version=1,
        new_micros=0,
        delta_micros=-18_000_000_000,
        reasons=("status_off",),
    )
    gain = leg.model_copy(update={"campaign": "c2", "region": "510000", "delta_micros": 18_000_000_000})
    return BudgetShift(
        shift_id="40a91c" + "0" * 26,
        plan_id="p",
        plan_hash="h",
        decision_epoch=1,
        emitted_at=NOON,
        valid_until=NOON + 1,
        mode="dry_run",
        action="budget",
        category="phone",
        cause=change().transition_id,
        reasons=("status_off",),
        legs=(leg, gain),
        total_before_micros=0,
        total_after_micros=0,
        status_version=1,
        evidence=ShiftEvidence(window="24h", clicks=1, orders=1, spend_micros=1, value_micros=1),
        config_hash="c41f9e2b00000000",
    )


def screen(lang: str, statuses: dict[str, RegionStatus] | None = None, **more: Totals) -> Screen:
    """Give a screen over the seeded table."""
    meta = Meta(
        now=EpochMs(NOON + 1_000),
        head=NOON,
        watermark=NOON,
        last_write=NOON,
        records=1,
        tallies={},
        mode="dry_run",
        killed=False,
        category="phone",
        config_hash="c41f9e2b",
    )
    fresh = {"440000": EpochMs(NOON - 47 * MINUTE_MS)}
    view = ViewData(table=seeded(**more), statuses=statuses or {}, fresh=fresh, lang=lang)  # type: ignore[arg-type]
    feed = Feed(transitions=(change(),), shifts=(shift(),))
    return Screen(view=view, meta=meta, zone=ZoneInfo("Asia/Shanghai"), feed=feed)


OFF = RegionStatus(
    region="440000", status=Status.OFF, suspect=True, since=EpochMs(NOON - 11 * MINUTE_MS), against_orders=9
)


def test_the_seed_row_prints_as_in_the_case_study() -> None:
    """Spend, share, clicks, CPC, orders, ROI, CPA, GMV, total ROI follow from the sums."""
    row = table_lines(ViewData(table=seeded()), 160)[4].plain.split()

    assert ["Guangdong", "?", "UNKNOWN", "25,571", "100.0%", "68,761", "0.37", "533", "46.6", "48"] == row[:10]
    assert ["1,191,009", "85.0"] == row[10:]


def test_the_total_row_comes_first() -> None:
    """It stands right below the headings."""
    lines = [line.plain for line in table_lines(ViewData(table=seeded(), lang="zh"), 160)]

    assert lines[2].startswith("总计")
    assert lines[4].startswith("广东")


@pytest.mark.parametrize(
    ("totals", "expected"),
    [
        (Totals(spend_micros=1_000_000), ["-", "0", "-", "-", "-", "-"]),
        (
            Totals(spend_micros=2_000_000, clicks=1, direct_orders=3, direct_gmv_micros=29_000_000),
            ["2.00", "3", "~14.5", "~1", "29", "-"],
        ),
    ],
    ids=["undefined-is-a-dash", "few-orders-are-a-guess"],
)
def test_a_value_is_never_a_bare_zero_that_means_no_idea(totals: Totals, expected: list[str]) -> None:
    """Undefined is `-`; a ratio over fewer than ten orders carries `~`."""
    line = table_lines(ViewData(table=seeded(**{"640000": totals})), 160)[5].plain

    assert expected == line.split()[-6:]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [160, 120, 80, 60])
def test_every_line_fits_and_uses_only_safe_characters(lang: str, width: int) -> None:
    """No line is wider than the terminal, and none holds a character of ambiguous width."""
    lines = [line.plain for line in screen_lines(screen(lang, {"440000": OFF}), width)]

    assert [] == [line for line in lines if cell_len(line) > width]
    assert set() == {char for line in lines for char in line if unicodedata.east_asian_width(char) == "A"}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_columns_stand_below_each_other_whatever_the_names(lang: str) -> None:
    """Chinese names count two columns a character, so all rows have one width."""
    data = ViewData(table=seeded(**{"150000": Totals(clicks=1), "230000": Totals(clicks=1)}), lang=lang)  # type: ignore[arg-type]

    assert 1 == len({cell_len(line.plain) for line in table_lines(data, 160)})


def test_columns_leave_in_a_fixed_order() -> None:
    """At 60 columns the name, status, spend and direct ROI are still there."""
    heads = table_lines(ViewData(table=seeded()), 60)[0].plain.split()

    assert {"Region", "Subsidy", "Spend", "ROI"} <= set(heads)
    assert not {"GMV", "CPA", "Clicks", "Share"} & set(heads)


def test_status_is_a_sign_and_a_word_before_it_is_a_colour() -> None:
    """A pipe or NO_COLOR loses nothing; doubt is marked behind the word."""
    text = plain(screen_lines(screen("zh", {"440000": OFF}), 160))

    assert "- 已停 !" in text
    assert "! 广东 存疑: 最近 9 单中 0 单有国补" in text


def test_a_region_silent_beyond_its_own_pace_is_marked() -> None:
    """47 minutes without an event where one comes every few milliseconds is a silence."""
    assert "!46m" in plain(screen_lines(screen("en"), 160))


def test_decisions_say_what_since_when_and_why() -> None:
    """A shift stands at the event time of its cause; a dry run says `would`."""
    text = plain(screen_lines(screen("en"), 160))

    assert "11:52:00 Guangdong      OFF since 11:49  0 of the last 12 eligible orders with subsidy (was 70%)" in text
    assert "11:52:00 would move 18,000 yuan/day: Guangdong c1 -18,000, Sichuan c2 +18,000" in text


def test_a_contradicting_announcement_needs_a_look() -> None:
    """It names who announced what, and what the orders said since."""
    row = RegionStatus(
        region="450000", status=Status.OFF, alert="contradiction", claimed=Status.ON, claimed_by="gov", orders=31
    )

    assert "= Guangxi: gov announced ON; 0 of 31 orders since carry a subsidy" in plain(
        screen_lines(screen("en", {"450000": row}), 160)
    )


def test_counts_always_add_up_to_all_regions() -> None:
    """ON, PARTIAL, OFF and UNKNOWN are all regions; SUSPECT counts on top."""
    counts = status_counts([OFF], ["440000", "320000"])

    assert {Status.OFF: 1, Status.UNKNOWN: 1, Status.SUSPECT: 1} == {k: v for k, v in counts.items() if v}


def test_foreign_text_cannot_command_the_terminal() -> None:
    """Escape sequences and direction marks are shown, not obeyed."""
    assert "a\\x1b[2Jb\\u202e国" == printable("a\x1b[2Jb\u202e国")


@pytest.mark.parametrize(
    ("span", "expected"),
    [(11_000, "11s"), (73 * 60_000, "73m"), (15 * 3_600_000, "15h"), (3 * 86_400_000, "3d"), (-1, "0s")],
)
def test_ages_are_short(span: int, expected: str) -> None:
    """Minutes up to 99, hours up to 47, then days."""
    assert expected == age(span)


def test_wide_text_is_cut_at_a_cell_border() -> None:
    """Half a wide character becomes a blank."""
    assert "内 " == pad("内蒙古", 3, "left")


def test_money_and_shares_round_halves_away_from_zero() -> None:
    """So people can check a cell with a hand calculator."""
    assert ("1,001", "12.5%", "-") == (whole(1_000_500_000), percent(Decimal("0.1245")), percent(None))
