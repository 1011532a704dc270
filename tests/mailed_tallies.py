"""Tallies as units mail them, counted here from ballots one by one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from scanner.counting.rules import ShareRule
from scanner.counting.tally_file import (
    TallyBreakdown,
    TallyContest,
    TallyDecider,
    TallyFile,
    TallyForm,
    TallyGroup,
    TallyOption,
    TallySheets,
    TallyUnit,
)
from scanner.publishing.tally_json import read_tally, write_tally

AT = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
HASH = "a" * 64
ONE = ("very", "content", "not")
"""Answers to the contest q1, of which one may be chosen."""
TWO = ("desk", "hours", "forms")
"""Answers to q2, of which two may be chosen."""
FIELDS = ("land", "births")
"""Answers to the contest that says who answers."""
LABELS = {"very": "Rất hài lòng", "content": "Hài lòng", "not": "Không hài lòng"}


@dataclass(frozen=True)
class Ballot:
    """One valid sheet: the options chosen, by their numbers; too many make an overvote."""

    one: tuple[int, ...] = ()
    two: tuple[int, ...] = ()
    field: int | None = None


def count_contest(
    name: str, options: Sequence[str], answers: Sequence[Sequence[int]], most: int
) -> TallyContest:
    """The sums of one contest, each ballot looked at by itself."""
    good = [one for one in answers if len(one) <= most]
    votes = [sum(number in one for one in good) for number in range(len(options))]
    return TallyContest(
        id=name,
        title=f"Câu {name}",
        max=most,
        counted=len(answers),
        options=tuple(
            TallyOption(option, LABELS.get(option, option), votes[number])
            for number, option in enumerate(options)
        ),
        blank=sum(not one for one in answers),
        overvote=len(answers) - len(good),
        undervotes=sum(most - len(one) for one in good),
        in_doubt=0,
        is_breakdown=name == "field",
    )


def count_contests(ballots: Sequence[Ballot]) -> tuple[TallyContest, ...]:
    """The sums of all contests."""
    fields = [() if one.field is None else (one.field,) for one in ballots]
    return (
        count_contest("q1", ONE, [one.one for one in ballots], 1),
        count_contest("q2", TWO, [one.two for one in ballots], 2),
        count_contest("field", FIELDS, fields, 1),
    )


def count(
    unit: str,
    period: str,
    ballots: Sequence[Ballot],
    *,
    at: datetime = AT,
    void: int = 0,
    issued: int | None = None,
) -> TallyFile:
    """The tally of a unit, as it would be read back from its file."""
    groups = [(name, [one for one in ballots if one.field == number])
              for number, name in (*enumerate(FIELDS), (None, "[blank]"))]  # fmt: skip
    papers = len(ballots) + void
    tally = TallyFile(
        unit=TallyUnit(unit, unit.title()),
        period=period,
        program="1",
        generated_at=at,
        count=unit,
        created_at=at,
        created_with="1",
        rule=ShareRule(decimals=2),
        sheets=TallySheets(
            issued=issued,
            collected=papers,
            hand_count=None,
            clean=papers,
            decided=0,
            in_doubt=0,
            refused=0,
            blank_pages=0,
            not_paper=0,
            valid=len(ballots),
            void=void,
            in_review=0,
            void_by_reason={"blank_sheet": void} if void else {},
        ),
        forms=(
            TallyForm(
                id="survey",
                title="Phiếu lấy ý kiến",
                version="1",
                hash=HASH,
                clean=papers,
                decided=0,
                in_doubt=0,
                valid=len(ballots),
                void=void,
                returned=papers,
                contests=count_contests(ballots),
                straight_lines=0,
            ),
        ),
        breakdowns=(
            TallyBreakdown(
                "survey",
                "contest:field",
                tuple(
                    TallyGroup(name, "" if name == "[blank]" else name, len(own),
                               count_contests(own))
                    for name, own in groups
                ),
            ),
        ),
        decisions=(TallyDecider("Lan", 1, 1),),
        is_final=True,
    )  # fmt: skip
    return filed(tally, f"{unit}-{period}.json".replace("/", "-"))


def filed(tally: TallyFile, name: str) -> TallyFile:
    """A tally with a name and a hash, as if it had been read from a file."""
    content = repr(replace(tally, sha256="", file="")).encode()
    return replace(tally, sha256=hashlib.sha256(content).hexdigest(), file=name)


def mail(tally: TallyFile, folder: Path, name: str) -> TallyFile:
    """A tally written to a file and read back."""
    write_tally(tally, folder / name)
    return read_tally(folder / name)


def change_form(tally: TallyFile, **changes: object) -> TallyFile:
    """A tally whose only form says something else."""
    form = replace(tally.forms[0], **changes)  # type: ignore[arg-type]
    return filed(replace(tally, forms=(form,)), tally.file)
