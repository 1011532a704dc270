"""The tally of a pile that nobody draws: the figures of its recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta, timezone

from scanner import __version__
from scanner.ballot import ContestState, SheetStatus
from scanner.counting.results import now
from scanner.counting.rules import ShareRule
from scanner.counting.tally import CastVote, CastVoteRecord, add_up
from scanner.counting.tally_file import TallyFile, TallyForm, TallySheets
from scanner.counting.tally_making import TallyHeading, contests_of
from scanner.forms.sample import cast_votes
from scanner.forms.scenario import Pile
from scanner.forms.template import Form

HANOI = timezone(timedelta(hours=7))
COUNTED_AT = time(16, 0, tzinfo=HANOI)


def moment_of(pile: Pile) -> datetime:
    """When a pile is counted: on the day that the sample says, else now."""
    if pile.counted_on is None:
        return now()
    return datetime.combine(pile.counted_on, COUNTED_AT)


def tally_without_papers(
    pile: Pile, form: Form, heading: TallyHeading, rule: ShareRule
) -> TallyFile:
    """The tally that a pile gives which nobody draws.

    Args:
        pile: The pile.
        form: Of its papers.
        heading: Whose tally it is.
        rule: How percentages are worked out.
    """
    recipe, at = pile.recipe, moment_of(pile)
    truth = cast_votes(recipe, form)
    valid = [sheet for sheet in truth.sheets if any(sheet.values())]
    void = {
        reason: papers
        for reason, papers in (
            ("blank_sheet", recipe.blank_sheets),
            ("void_sheet", recipe.foreign_sheets),
        )
        if papers
    }
    records = [
        CastVoteRecord(place, form.id, SheetStatus.CLEAN, tuple(_votes(sheet, form)))
        for place, sheet in enumerate(valid, start=1)
    ]
    (sums,) = add_up(records, [form]).forms
    return TallyFile(
        unit=heading.unit,
        period=heading.period,
        program=__version__,
        generated_at=at,
        count=pile.name,
        created_at=at,
        created_with=__version__,
        rule=rule,
        sheets=TallySheets(
            issued=recipe.issued,
            collected=recipe.papers,
            hand_count=recipe.papers,
            clean=recipe.papers - recipe.foreign_sheets,
            decided=0,
            in_doubt=0,
            refused=recipe.foreign_sheets,
            blank_pages=0,
            not_paper=0,
            valid=len(valid),
            void=recipe.papers - len(valid),
            in_review=0,
            void_by_reason=void,
            refused_by_reason={"void_sheet": recipe.foreign_sheets}
            if recipe.foreign_sheets
            else {},
        ),
        forms=(
            TallyForm(
                id=form.id,
                title=form.title,
                version=form.version,
                hash=form.content_hash,
                clean=recipe.papers - recipe.foreign_sheets,
                decided=0,
                in_doubt=0,
                valid=len(valid),
                void=recipe.blank_sheets,
                returned=recipe.papers,
                contests=contests_of(form, sums.contests),
            ),
        ),
        is_final=True,
    )


def _votes(sheet: Mapping[str, Sequence[str]], form: Form) -> Iterator[CastVote]:
    """The answers of a sheet, as people would read them."""
    for contest in form.contests:
        chosen = tuple(sheet.get(contest.id, ()))
        if not chosen:
            yield CastVote(contest.id, ContestState.BLANK)
        elif len(chosen) > contest.max:
            yield CastVote(contest.id, ContestState.OVERVOTE)
        else:
            is_full = len(chosen) == contest.max
            state = ContestState.VOTED if is_full else ContestState.UNDERVOTE
            yield CastVote(contest.id, state, chosen)
