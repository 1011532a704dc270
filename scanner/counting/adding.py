"""Tallies become one: every figure is the sum of theirs, none is made from percentages.

Adding is a sum of whole numbers and nothing else, so neither the order nor the way the tallies are
put together plays a part. A figure that one of them does not know is not known of the sum; a group
that one of them does not show is not shown in the sum.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from scanner.counting.rules import Denominator, ShareRule
from scanner.counting.tally import Gap
from scanner.counting.tally_file import (
    TallyBreakdown,
    TallyContest,
    TallyDecider,
    TallyFile,
    TallyForm,
    TallyGroup,
    TallyOption,
    TallySheets,
    TallySource,
    TallyUnit,
)
from scanner.counting.tally_making import BY_BATCH, BY_CONTEST, NO_ANSWER

BY_UNIT = "unit"
"""A breakdown with a group for each unit that counted."""
BY_PERIOD = "period"
"""A breakdown with a group for each period that was counted."""


@dataclass(frozen=True, slots=True)
class SumHeading:
    """What a sum says about itself beside its figures."""

    unit: TallyUnit
    period: str
    at: datetime
    """When it is made, with a time zone."""
    program: str
    """Version of this program."""
    unit_order: Mapping[str, int] = field(default_factory=dict)
    """The places of units, by id, in which breakdowns name them."""


def returned(tally: TallyFile) -> int:
    """Papers that came back: as told, else as counted by hand, else as scanned."""
    told = (tally.sheets.collected, tally.sheets.hand_count)
    return next((figure for figure in told if figure is not None), tally.sheets.paper)


def as_source(tally: TallyFile) -> TallySource:
    """What a sum says of a tally that was added into it.

    Args:
        tally: Of a known unit, as read from its file.
    """
    if tally.unit is None or not tally.sha256:
        raise ValueError("a tally is traced by its unit and the hash of its file")
    return TallySource(
        unit=tally.unit,
        period=tally.period,
        sha256=tally.sha256,
        file=tally.file,
        generated_at=tally.generated_at,
        returned=returned(tally),
    )


def as_part(tally: TallyFile) -> TallyFile:
    """A tally read from a file, made ready to be added.

    What means something within its own count only is left to its file: batches, settings, the
    record. Whatever does not add up in it is said with the name of its unit.

    Args:
        tally: Of a known unit, as read from its file; that of a count or a sum.
    """
    own = as_source(tally)
    if tally.sources:
        inner = (replace(one, within=one.within or own.sha256) for one in tally.sources)
        return replace(tally, sources=(own, *inner))
    name = own.unit.name or own.unit.id
    kept = tuple(one for one in tally.breakdowns if one.by != BY_BATCH)
    groups = {BY_UNIT: (own.unit.id, name), BY_PERIOD: (own.period, own.period)}
    made = tuple(
        TallyBreakdown(form.id, by, (TallyGroup(group, label, form.valid, _settled(form)),))
        for form in tally.forms
        for by, (group, label) in groups.items()
    )
    return replace(
        tally,
        gaps=tuple(replace(gap, what=f"{name}, {own.period}: {gap.what}") for gap in tally.gaps),
        breakdowns=kept + made,
        decisions=tuple(replace(one, by=f"{one.by} ({name})") for one in tally.decisions),
        overrides=tuple(replace(one, by=f"{one.by} ({name})") for one in tally.overrides),
        sources=(own,),
    )


def add_tallies(parts: Sequence[TallyFile], heading: SumHeading) -> TallyFile:
    """The sum of tallies that :func:`as_part` made ready, or of such sums.

    Args:
        parts: At least one; forms of one id have the same contests, options and limits.
        heading: What the sum says about itself.
    """
    forms = _add_forms(parts)
    begun = min((one.created_at, one.created_with) for one in parts)
    return TallyFile(
        unit=heading.unit,
        period=heading.period,
        program=heading.program,
        generated_at=heading.at,
        count=heading.unit.id,
        created_at=begun[0],
        created_with=begun[1],
        rule=_common_rule([one.rule for one in parts]),
        sheets=_add_sheets([one.sheets for one in parts]),
        forms=forms,
        gaps=_gather_gaps(parts, forms),
        breakdowns=_add_breakdowns(parts, forms, heading.unit_order),
        decisions=_add_decisions(parts),
        is_final=all(one.is_final for one in parts),
        overrides=tuple(
            sorted(
                (one for part in parts for one in part.overrides),
                key=lambda one: (one.at, one.by, one.why),
            )
        ),
        smallest_group=max(one.smallest_group for one in parts),
        sources=tuple(
            sorted(
                (source for one in parts for source in one.sources),
                key=lambda one: (
                    heading.unit_order.get(one.unit.id, len(heading.unit_order)),
                    one.unit.id,
                    one.period,
                    one.within,
                    one.sha256,
                ),
            )
        ),
    )


def add_contests(contests: Sequence[TallyContest]) -> TallyContest:
    """The sum of one contest over several tallies; texts and order are those of the first.

    Args:
        contests: With the same limit; each option of one that another lacks has no vote there.
    """
    first = contests[0]
    votes: Counter[str] = Counter()
    texts: dict[str, str] = {}
    for contest in contests:
        for option in contest.options:
            votes[option.id] += option.votes
            texts.setdefault(option.id, option.label)
    return TallyContest(
        id=first.id,
        title=first.title,
        max=first.max,
        counted=sum(one.counted for one in contests),
        options=tuple(TallyOption(name, label, votes[name]) for name, label in texts.items()),
        blank=sum(one.blank for one in contests),
        overvote=sum(one.overvote for one in contests),
        undervotes=sum(one.undervotes for one in contests),
        in_doubt=sum(one.in_doubt for one in contests),
        is_breakdown=any(one.is_breakdown for one in contests),
    )


def add_groups(groups: Sequence[TallyGroup]) -> TallyGroup:
    """The sum of one group over several tallies; not shown where one of them does not show it."""
    shown = [one.contests for one in groups if one.contests is not None]
    return TallyGroup(
        id=groups[0].id,
        label=groups[0].label,
        valid=sum(one.valid for one in groups),
        contests=_add_all_contests(shown) if len(shown) == len(groups) else None,
    )


def newest_first(forms: Iterable[TallyForm]) -> list[TallyForm]:
    """Versions of one form, the newest first: 10 is newer than 9."""
    return sorted(forms, key=lambda form: (_numbers_in(form.version), form.hash), reverse=True)


def _settled(form: TallyForm) -> tuple[TallyContest, ...]:
    """The contests of a form as a group has them: sheets that wait are in no group."""
    return tuple(replace(contest, in_doubt=0) for contest in form.contests)


def _add_all_contests(lists: Sequence[Sequence[TallyContest]]) -> tuple[TallyContest, ...]:
    by_id: dict[str, list[TallyContest]] = {}
    for contests in lists:
        for contest in contests:
            by_id.setdefault(contest.id, []).append(contest)
    return tuple(add_contests(same) for same in by_id.values())


def _add_forms(parts: Sequence[TallyFile]) -> tuple[TallyForm, ...]:
    by_id: dict[str, list[TallyForm]] = {}
    for part in parts:
        for form in part.forms:
            by_id.setdefault(form.id, []).append(form)
    return tuple(_add_versions(newest_first(by_id[name])) for name in sorted(by_id))


def _add_versions(forms: Sequence[TallyForm]) -> TallyForm:
    """The sum of one form; what it says is what the first says."""
    return replace(
        forms[0],
        clean=sum(one.clean for one in forms),
        decided=sum(one.decided for one in forms),
        in_doubt=sum(one.in_doubt for one in forms),
        valid=sum(one.valid for one in forms),
        void=sum(one.void for one in forms),
        returned=sum(one.returned for one in forms),
        contests=_add_all_contests([one.contests for one in forms]),
        straight_lines=_sum_if_known([one.straight_lines for one in forms]),
    )


def _add_sheets(sheets: Sequence[TallySheets]) -> TallySheets:
    return TallySheets(
        issued=_sum_if_known([one.issued for one in sheets]),
        collected=_sum_if_known([one.collected for one in sheets]),
        hand_count=_sum_if_known([one.hand_count for one in sheets]),
        clean=sum(one.clean for one in sheets),
        decided=sum(one.decided for one in sheets),
        in_doubt=sum(one.in_doubt for one in sheets),
        refused=sum(one.refused for one in sheets),
        blank_pages=sum(one.blank_pages for one in sheets),
        not_paper=sum(one.not_paper for one in sheets),
        in_review=sum(one.in_review for one in sheets),
        valid=sum(one.valid for one in sheets),
        void=sum(one.void for one in sheets),
        void_by_reason=_add_reasons([one.void_by_reason for one in sheets]),
        refused_by_reason=_add_reasons([one.refused_by_reason for one in sheets]),
    )


def _add_reasons(figures: Sequence[Mapping[str, int]]) -> dict[str, int]:
    whole: Counter[str] = Counter()
    for one in figures:
        whole.update(one)
    return {reason: whole[reason] for reason in sorted(whole)}


def _sum_if_known(figures: Sequence[int | None]) -> int | None:
    """The sum; None where one is not known, as a sum of the others would be taken for all."""
    known = [figure for figure in figures if figure is not None]
    return sum(known) if len(known) == len(figures) else None


def _common_rule(rules: Sequence[ShareRule]) -> ShareRule:
    """The rule of all, with the members of all; where they differ, the usual one."""
    bare = {(rule.denominator, rule.decimals, rule.rounding) for rule in rules}
    if len(bare) > 1:
        return ShareRule()
    if rules[0].denominator is not Denominator.MEMBERS:
        return rules[0]
    return replace(rules[0], members=sum(rule.members or 0 for rule in rules))


def _gather_gaps(parts: Sequence[TallyFile], forms: Sequence[TallyForm]) -> tuple[Gap, ...]:
    """Gaps of the parts, which never make up for each other, and of contests of the sum."""
    places = {f"{form.id}/{contest.id}" for form in forms for contest in form.contests}
    open_ones = {gap.what for part in parts for gap in part.gaps} & places
    open_ones |= {
        f"{form.id}/{contest.id}"
        for part in parts
        for form in part.forms
        for contest in form.contests
        if not contest.closes
    }
    gaps = [gap for part in parts for gap in part.gaps if gap.what not in places]
    gaps += [
        Gap(f"{form.id}/{contest.id}", "counted", sum(one.votes for one in contest.options),
            contest.counted)
        for form in forms
        for contest in form.contests
        if f"{form.id}/{contest.id}" in open_ones
    ]  # fmt: skip
    return tuple(sorted(gaps, key=lambda gap: (gap.what, gap.other)))


def _add_decisions(parts: Sequence[TallyFile]) -> tuple[TallyDecider, ...]:
    made: Counter[str] = Counter()
    sheets: Counter[str] = Counter()
    for one in (one for part in parts for one in part.decisions):
        made[one.by] += one.decisions
        sheets[one.by] += one.sheets
    return tuple(TallyDecider(name, made[name], sheets[name]) for name in sorted(made))


def _add_breakdowns(
    parts: Sequence[TallyFile], forms: Sequence[TallyForm], unit_order: Mapping[str, int]
) -> tuple[TallyBreakdown, ...]:
    """What all parts break down, summed group by group; by what one does not, the sum has none."""
    lacking = {
        (form.id, by)
        for part in parts
        for form in part.forms
        for by in {one.by for other in parts for one in other.breakdowns}
        if form.valid and all((one.form, one.by) != (form.id, by) for one in part.breakdowns)
    }
    found: dict[tuple[str, str], dict[str, list[TallyGroup]]] = {}
    for one in (one for part in parts for one in part.breakdowns):
        groups = found.setdefault((one.form, one.by), {})
        for group in one.groups:
            groups.setdefault(group.id, []).append(group)
    by_id = {form.id: form for form in forms}
    return tuple(
        TallyBreakdown(form, by, _in_order(by, groups, by_id[form], unit_order))
        for (form, by), groups in sorted(found.items())
        if form in by_id and (form, by) not in lacking
    )


def _in_order(
    by: str,
    groups: Mapping[str, Sequence[TallyGroup]],
    form: TallyForm,
    unit_order: Mapping[str, int],
) -> tuple[TallyGroup, ...]:
    """The groups summed, in printed order, and with the texts of the form that the sum shows."""
    order = dict(unit_order) if by == BY_UNIT else {}
    labels: dict[str, str] = {}
    if by.startswith(BY_CONTEST):
        contest_id = by.removeprefix(BY_CONTEST)
        options = [
            option
            for contest in form.contests
            if contest.id == contest_id
            for option in contest.options
        ]
        labels = {option.id: option.label for option in options} | {NO_ANSWER: ""}
        order = {name: number for number, name in enumerate(labels)}
    texts = {contest.id: contest for contest in form.contests}
    summed = [
        _with_texts(add_groups(groups[name]), labels.get(name), texts)
        for name in sorted(groups, key=lambda name: (order.get(name, len(order)), name))
    ]
    return tuple(summed)


def _with_texts(
    group: TallyGroup, label: str | None, texts: Mapping[str, TallyContest]
) -> TallyGroup:
    """A group with its contests and their options as the form of the sum names and orders them."""
    label = group.label if label is None else label
    if group.contests is None:
        return replace(group, label=label)
    by_id = {contest.id: contest for contest in group.contests}
    contests = tuple(_worded(by_id[name], texts[name]) for name in texts if name in by_id)
    return replace(group, label=label, contests=contests)


def _worded(contest: TallyContest, text: TallyContest) -> TallyContest:
    votes = {option.id: option.votes for option in contest.options}
    options = tuple(replace(one, votes=votes.get(one.id, 0)) for one in text.options)
    return replace(contest, title=text.title, options=options, is_breakdown=text.is_breakdown)


def _numbers_in(version: str) -> list[tuple[int, str]]:
    """What a version is sorted by: figures as numbers, all else as text."""
    steps = re.findall(r"\d+|\D+", version)
    return [(int(step), "") if step.isdecimal() else (-1, step) for step in steps]
