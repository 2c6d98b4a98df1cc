"""Decisions in words, in both languages."""

from decimal import Decimal

import pytest

from models.decisions import BudgetShift, Evidence, HeldShift, Leg, ShiftEvidence, Transition
from rules.guardrails import CODES
from rules.settings import RuleSettings
from rules.wording import counts_of, explain, explain_leg

YUAN = 1_000_000


def transition(cause: str, alert: str | None = None, **evidence: object) -> Transition:
    """Guangdong goes OFF."""
    return Transition.model_validate(
        {
            "transition_id": "t",
            "category": "phone",
            "region": "440000",
            "from": "ON",
            "to": "OFF",
            "at": 1,
            "decided_at": 2,
            "cause": cause,
            "alert": alert,
            "evidence": Evidence.model_validate(evidence),
            "config_hash": "h",
        }
    )


def leg(campaign: str, region: str, delta: int, *reasons: str, limits: tuple[str, ...] = ()) -> Leg:
    """A leg from 100 yuan."""
    return Leg(
        campaign=campaign,
        region=region,
        old_micros=100 * YUAN,
        old_version=1,
        new_micros=(100 + delta) * YUAN,
        delta_micros=delta * YUAN,
        reasons=reasons,
        limits_hit=limits,
    )


@pytest.mark.parametrize(
    ("change", "en", "zh"),
    [
        (
            transition("announcement", announcement_source="省商务厅"),
            "Guangdong went from ON to OFF: announced by 省商务厅.",
            "广东由已开变为已停：省商务厅发布公告。",
        ),
        (
            transition("orders", recent=((1, 2), (0, 9))),
            "Guangdong went from ON to OFF: 1 of the last 11 eligible orders carry a subsidy.",
            "广东由已开变为已停：最近11个适用订单中有1个享受补贴。",
        ),
        (
            transition(
                "orders", "contradiction", recent=((0, 11),), base_percent=Decimal("70.1"), announcement_source="press"
            ),
            "Guangdong went from ON to OFF: 0 of the last 11 eligible orders carry a subsidy, 70.1 % before,"
            " against the word of press.",
            "广东由已开变为已停：最近11个适用订单中有0个享受补贴，此前为70.1%，与press的公告不符。",
        ),
    ],
    ids=["announcement", "orders", "contradiction"],
)
def test_a_transition_says_what_it_rests_on(change: Transition, en: str, zh: str) -> None:
    """Counts and source stand in the sentence."""
    assert (en, zh) == explain(change)


@pytest.mark.parametrize(
    ("recent", "level", "counts"),
    [
        (((1, 1), (1, 2), (0, 1), (0, 1), (0, 2)), "0.0", (0, 4)),
        (((1, 1), (1, 1), (0, 3), (1, 4)), "14.3", (1, 7)),
        (((1, 2), (0, 3)), "33.0", (1, 5)),
        (((1, 2), (0, 3)), None, (1, 5)),
        (((0, 0),), "0.0", (0, 0)),
        ((), "0.0", (0, 0)),
    ],
    ids=["none of four", "one of seven", "no such run", "no share", "no orders", "nothing kept"],
)
def test_counts_are_those_of_the_run_that_was_believed(
    recent: tuple[tuple[int, int], ...], level: str | None, counts: tuple[int, int]
) -> None:
    """Orders from before the change are not mixed with those after it."""
    share = None if level is None else Decimal(level)

    assert counts == counts_of(Evidence(recent=recent, level_percent=share))


def test_a_shift_says_how_much_moves_and_why() -> None:
    """Money that changes its place is counted once."""
    shift = BudgetShift(
        shift_id="s", plan_id="p", plan_hash="h", decision_epoch=0, emitted_at=0, valid_until=1, mode="auto",
        action="budget", category="phone", cause="t", reasons=("status_off:440000",),
        legs=(leg("a", "440000", -30, "value_percent:75"), leg("b", "110000", 30, "value_percent:130")),
        total_before_micros=200 * YUAN, total_after_micros=200 * YUAN, status_version=1,
        evidence=ShiftEvidence(window="24h", clicks=1, orders=1, spend_micros=1, value_micros=1), config_hash="h",
    )  # fmt: skip

    assert "30 yuan a day moves from 1 to 1 campaigns: subsidy in Guangdong is OFF." == explain(shift).en
    assert "从1个计划向1个计划每天转移30元：广东补贴已停。" == explain(shift).zh


@pytest.mark.parametrize(
    ("moved", "en", "zh"),
    [
        (
            leg("a", "440000", -30, "status_off:440000", "value_percent:75", limits=("step",)),
            "-30 for Guangdong: subsidy in Guangdong is OFF; value 75 % of the average; limited to one step",
            "广东 -30：广东补贴已停；价值为均值的75%；受单步上限",
        ),
        (
            leg("b", "110000,999999", 12, "value_percent:130", limits=("cap",)),
            "+12 for Beijing, region 999999: value 130 % of the average; cap reached",
            "北京、地区999999 +12：价值为均值的130%；已到上限",
        ),
    ],
    ids=["donor", "receiver"],
)
def test_a_leg_says_its_reasons_and_its_limits(moved: Leg, en: str, zh: str) -> None:
    """Every code has words, and a region that is not in the table keeps its number."""
    assert (en, zh) == explain_leg(moved)


@pytest.mark.parametrize("code", CODES)
def test_every_veto_has_words_in_both_languages(code: str) -> None:
    """The detail of the veto is the English sentence."""
    held = HeldShift(held_id="h", at=1, category="phone", region="320000", cause="t", code=code, detail="Because.")
    said = explain(held)

    assert "No shift after the change in Jiangsu: Because." == said.en
    assert said.zh.startswith("江苏变化后未调预算：")
    assert said.zh.endswith("。")


def test_equal_rules_have_equal_hashes() -> None:
    """The hash follows the content and nothing else."""
    same = RuleSettings.model_validate(RuleSettings().model_dump(mode="json"))
    other = RuleSettings.model_validate({"guards": {"mode": "auto"}})

    assert RuleSettings().config_hash == same.config_hash
    assert RuleSettings().config_hash != other.config_hash
    assert 16 == len(other.config_hash)
