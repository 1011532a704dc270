"""Plain data of a tally, which keeps to its schema, becomes its types again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from scanner.counting.rules import Denominator, Rounding, ShareRule
from scanner.counting.tally import NOT_PAPER, Gap
from scanner.counting.tally_file import (
    TallyBatch,
    TallyBreakdown,
    TallyContest,
    TallyDecider,
    TallyFile,
    TallyForm,
    TallyGroup,
    TallyLimitChange,
    TallyOption,
    TallyOverride,
    TallySheets,
    TallySource,
    TallyUnit,
    TallyWeight,
)

Data = Mapping[str, Any]


def parse_tally(data: Data) -> TallyFile:
    """A tally of any version from its plain data.

    Percentages in it are left aside: they follow from the counts.

    Args:
        data: What keeps to the schema of its version.
    """
    count = data["count"]
    return TallyFile(
        unit=_unit(data.get("unit")),
        period=data.get("period", ""),
        program=data["program"]["version"],
        generated_at=_moment(data["generated_at"]),
        count=count["name"],
        created_at=_moment(count["created_at"]),
        created_with=count["created_with"],
        rule=_rule(data.get("rule")),
        sheets=_sheets(data["sheets"]),
        forms=tuple(_form(form, data) for form in data["forms"]),
        gaps=tuple(
            Gap(one["what"], one["other"], one["figure"], one["other_figure"])
            for one in data["gaps"]
        ),
        breakdowns=tuple(_breakdown(one) for one in data.get("breakdowns", ())),
        decisions=tuple(
            TallyDecider(one["by"], one["decisions"], one["sheets"]) for one in data["decisions"]
        ),
        batches=tuple(
            TallyBatch(one["batch"], one["files"], one["pages"], one["settings"])
            for one in data["batches"]
        ),
        limit_changes=tuple(
            TallyLimitChange(
                _moment(one["at"]), one["by"], one["why"], one["batch"], one["settings"]
            )
            for one in data.get("limit_changes", ())
        ),
        is_final=data.get("is_final", False),
        overrides=tuple(
            TallyOverride(one["by"], one["why"], _moment(one["at"]))
            for one in data.get("overrides", ())
        ),
        smallest_group=data.get("smallest_group", 0),
        log_head=count.get("log_head", ""),
        sources=tuple(
            TallySource(
                TallyUnit(one["unit"]["id"], one["unit"]["name"]),
                one["period"],
                one["sha256"],
                one["file"],
                one["within"],
                None if one["generated_at"] is None else _moment(one["generated_at"]),
                one["returned"],
            )
            for one in data.get("sources", ())
        ),
        weights=tuple(
            TallyWeight(TallyUnit(one["unit"]["id"], one["unit"]["name"]), Fraction(one["weight"]))
            for one in data.get("weights", ())
        ),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _unit(data: Data | None) -> TallyUnit | None:
    return None if data is None else TallyUnit(data["id"], data["name"])


def _rule(data: Data | None) -> ShareRule:
    """The rule of the percentages; before version 2 it was always the usual one."""
    if data is None:
        return ShareRule()
    return ShareRule(
        denominator=Denominator(data["denominator"]),
        decimals=data["decimals"],
        rounding=Rounding(data["rounding"]),
        members=data["members"],
    )


def _sheets(data: Data) -> TallySheets:
    """Where the papers went; before version 2 every counted sheet was valid."""
    refused = data["refused_by_reason"]
    void = data.get("void_by_reason")
    if void is None:
        void = {why: number for why, number in refused.items() if why not in NOT_PAPER}
    return TallySheets(
        issued=data["issued"],
        collected=data["collected"],
        hand_count=data.get("hand_count"),
        clean=data["clean"],
        decided=data["decided"],
        in_doubt=data["in_doubt"],
        refused=data["refused"],
        blank_pages=data["blank_pages"],
        not_paper=sum(number for why, number in refused.items() if why in NOT_PAPER),
        valid=data.get("valid", data["clean"] + data["decided"]),
        void=sum(void.values()),
        in_review=data.get("in_review", data["in_doubt"]),
        void_by_reason=void,
        refused_by_reason=refused,
    )


def _form(data: Data, tally: Data) -> TallyForm:
    sheets = data["sheets"]
    return TallyForm(
        id=data["id"],
        title=data["title"],
        version=data["version"],
        hash=data["hash"],
        clean=sheets["clean"],
        decided=sheets["decided"],
        in_doubt=sheets["in_doubt"],
        valid=sheets.get("valid", sheets["counted"]),
        void=sheets.get("void", 0),
        returned=sheets["returned"] if "returned" in sheets else _returned(data, tally),
        contests=tuple(_contest(one) for one in data["contests"]),
        straight_lines=data.get("straight_lines"),
    )


def _returned(form: Data, tally: Data) -> int:
    """Papers of a form that came back, which before version 2 was not said."""
    sheets = tally["sheets"]
    if len(tally["forms"]) > 1:
        return int(form["sheets"]["counted"] + form["sheets"]["in_doubt"])
    return _sheets(sheets).paper if sheets["collected"] is None else int(sheets["collected"])


def _contest(data: Data) -> TallyContest:
    return TallyContest(
        id=data["id"],
        title=data["title"],
        max=data["max"],
        counted=data["counted"],
        options=tuple(
            TallyOption(one["id"], one["label"], one["votes"]) for one in data["options"]
        ),
        blank=data["blank"],
        overvote=data["overvote"],
        undervotes=data["undervotes"],
        in_doubt=data["in_doubt"],
        is_breakdown=data.get("breakdown", False),
    )


def _breakdown(data: Data) -> TallyBreakdown:
    return TallyBreakdown(
        form=data["form"],
        by=data["by"],
        groups=tuple(
            TallyGroup(
                id=one["id"],
                label=one["label"],
                valid=one["valid"],
                contests=None
                if one["contests"] is None
                else tuple(_contest(contest) for contest in one["contests"]),
            )
            for one in data["groups"]
        ),
    )
