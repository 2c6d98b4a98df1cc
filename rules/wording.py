"""Decisions in words, English and Chinese: one sentence for what happened, one for why."""

from decimal import Decimal
from typing import Final, NamedTuple

from models.decisions import BudgetShift, Evidence, HeldShift, Leg, Transition
from models.regions import by_adcode
from models.units import Micros, to_currency


class Sentences(NamedTuple):
    """The same text in both languages."""

    en: str
    zh: str


_STATUS_ZH: Final = {"ON": "已开", "OFF": "已停", "PARTIAL": "部分", "UNKNOWN": "未知", "SUSPECT": "存疑"}
_LIMIT: Final = {
    "floor": Sentences("floor reached", "已到下限"),
    "cap": Sentences("cap reached", "已到上限"),
    "step": Sentences("limited to one step", "受单步上限"),
    "suspect": Sentences("not raised under suspicion", "存疑不加投"),
}
_HELD: Final = {
    "kill_switch": "停止开关已打开。",
    "observe": "当前为只观察模式。",
    "no_campaigns": "没有可调预算的计划。",
    "open_plan": "上一个方案尚未答复。",
    "cooldown": "该地区仍在冷却期内。",
    "evidence_floor": "点击或订单不足，暂不判断。",
    "no_change": "调整金额太小，不值得执行。",
}


def explain(decision: Transition | BudgetShift | HeldShift) -> Sentences:
    """Say what was decided and why, with the numbers it rests on."""
    if isinstance(decision, Transition):
        return _transition(decision)
    if isinstance(decision, BudgetShift):
        return _shift(decision)
    place = _place(decision.region)
    return Sentences(
        f"No shift after the change in {place.en}: {decision.detail}",
        f"{place.zh}变化后未调预算：{_HELD[decision.code]}",
    )


def explain_leg(leg: Leg) -> Sentences:
    """Say how one budget moves and why: `+1,200 for 广东: subsidy is on; value 130 % of the average`."""
    places = [_place(region) for region in leg.region.split(",")]
    reasons = [_reason(code) for code in leg.reasons] + [_LIMIT[code] for code in leg.limits_hit]
    amount = f"{to_currency(Micros(leg.delta_micros)):+,.0f}"
    return Sentences(
        f"{amount} for {', '.join(place.en for place in places)}: {'; '.join(reason.en for reason in reasons)}",
        f"{'、'.join(place.zh for place in places)} {amount}：{'；'.join(reason.zh for reason in reasons)}",
    )


def counts_of(seen: Evidence) -> tuple[int, int]:
    """Give subsidised and eligible orders at the end of the recent ones: the longest run that has the share believed.

    All recent orders when none has: a run may be older than what is kept of it.
    """
    runs = [seen.recent[first:] for first in range(len(seen.recent))]
    counts = [(sum(hits for hits, _ in run), sum(orders for _, orders in run)) for run in runs]
    shown = ((hits, orders) for hits, orders in counts if _percent(hits, orders) == seen.level_percent)
    return next(shown, counts[0] if counts else (0, 0))


def _percent(part: int, whole: int) -> Decimal | None:
    return Decimal(repr(round(part / whole * 100, 1))) if whole else None


def _transition(change: Transition) -> Sentences:
    place, seen = _place(change.region), change.evidence
    what = Sentences(
        f"{place.en} went from {change.from_} to {change.to}",
        f"{place.zh}由{_STATUS_ZH[change.from_]}变为{_STATUS_ZH[change.to]}",
    )
    if change.cause == "announcement":
        return Sentences(
            f"{what.en}: announced by {seen.announcement_source}.", f"{what.zh}：{seen.announcement_source}发布公告。"
        )
    subsidised, eligible = counts_of(seen)
    en = f"{what.en}: {subsidised} of the last {eligible} eligible orders carry a subsidy"
    zh = f"{what.zh}：最近{eligible}个适用订单中有{subsidised}个享受补贴"
    if seen.base_percent is not None:
        en, zh = f"{en}, {seen.base_percent} % before", f"{zh}，此前为{seen.base_percent}%"
    if change.alert == "contradiction":
        en, zh = (
            f"{en}, against the word of {seen.announcement_source}",
            f"{zh}，与{seen.announcement_source}的公告不符",
        )
    return Sentences(f"{en}.", f"{zh}。")


def _shift(shift: BudgetShift) -> Sentences:
    moved = to_currency(Micros(sum(leg.delta_micros for leg in shift.legs if leg.delta_micros > 0)))
    reasons = [_reason(code) for code in shift.reasons]
    donors = sum(leg.delta_micros < 0 for leg in shift.legs)
    receivers = len(shift.legs) - donors
    return Sentences(
        f"{moved:,.0f} yuan a day moves from {donors} to {receivers} campaigns: "
        f"{'; '.join(reason.en for reason in reasons)}.",
        f"从{donors}个计划向{receivers}个计划每天转移{moved:,.0f}元：{'；'.join(reason.zh for reason in reasons)}。",
    )


def _reason(code: str) -> Sentences:
    name, _, figure = code.partition(":")
    if name == "value_percent":
        return Sentences(f"value {figure} % of the average", f"价值为均值的{figure}%")
    place, status = _place(figure), name.removeprefix("status_").upper()
    return Sentences(f"subsidy in {place.en} is {status}", f"{place.zh}补贴{_STATUS_ZH[status]}")


def _place(region: str) -> Sentences:
    province = by_adcode(region)
    return Sentences(province.en, province.zh) if province else Sentences(f"region {region}", f"地区{region}")
