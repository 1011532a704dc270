"""What the page of progress and result shows: figures of the tally in the order of the work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.ballot import ContestState, SheetStatus
from scanner.counting.rules import ShareRule, answer_shares, describe_rule, percent_text
from scanner.counting.tally import ContestTally, Gap, Standing, Tally
from scanner.forms.template import Contest, Form
from scanner.messages import current_language, describe
from scanner.messages import gettext as _
from scanner.publishing.screen import gap_in_words, refusal_in_words


@dataclass(frozen=True, slots=True)
class Part:
    """One status with its number of sheets, and where it lies on the bar of all sheets."""

    status: SheetStatus
    name: str
    figure: int
    start: float
    """Of 100."""
    length: float
    """Of 100."""


@dataclass(frozen=True, slots=True)
class Check:
    """Two figures that ought to agree."""

    text: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of the chart of a question."""

    name: str
    figure: int
    percent: str
    """By the rule of the count; empty where that has none."""
    length: float
    """Of 100."""
    is_option: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """One question with its bars."""

    title: str
    most: int
    """How many options may be chosen."""
    bars: tuple[Bar, ...]
    closes: bool
    sum_text: str
    """How its figures add up."""


@dataclass(frozen=True, slots=True)
class FormPart:
    """The result of one form."""

    title: str
    counted: int
    in_doubt: int
    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """All that the page shows of a tally."""

    tally: Tally
    parts: tuple[Part, ...]
    standings: tuple[tuple[Standing, str, int], ...]
    """How many sheets are valid, void and in review, as every file of the count says it."""
    reasons: tuple[tuple[str, int], ...]
    """Why sheets are void, wait though nobody could read them, or are no paper."""
    rule: str
    """Of what percentages are."""
    checks: tuple[Check, ...]
    forms: tuple[FormPart, ...]

    @property
    def is_final(self) -> bool:
        """Whether nothing waits for a person any more."""
        return not self.tally.is_provisional


def show_progress(tally: Tally, forms: Sequence[Form], rule: ShareRule) -> Progress:
    """The figures of a tally as the page shows them.

    Args:
        tally: The tally.
        forms: The count's forms, in the order of the tally.
        rule: How percentages are worked out.
    """
    names = {
        Standing.VALID: _("valid"),
        Standing.VOID: _("void"),
        Standing.IN_REVIEW: _("in review"),
    }
    reasons = (tally.refused_by_reason | tally.void_by_reason).items()
    return Progress(
        tally=tally,
        parts=tuple(_parts(tally)),
        standings=tuple((one, name, tally.standings.get(one, 0)) for one, name in names.items()),
        reasons=tuple((refusal_in_words(reason), figure) for reason, figure in reasons),
        rule=describe_rule(rule),
        checks=tuple(_checks(tally)),
        forms=tuple(
            FormPart(
                title=form.title or form.id,
                counted=sums.counted,
                in_doubt=sums.in_doubt,
                charts=tuple(
                    _chart(contest, figures, rule, tally.returned(sums))
                    for contest, figures in zip(form.contests, sums.contests, strict=True)
                ),
            )
            for form, sums in zip(forms, tally.forms, strict=True)
            if sums.counted or sums.in_doubt
        ),
    )


def _parts(tally: Tally) -> Iterator[Part]:
    figures = {
        SheetStatus.CLEAN: tally.clean,
        SheetStatus.DECIDED: tally.decided,
        SheetStatus.IN_DOUBT: tally.in_doubt,
        SheetStatus.REFUSED: tally.refused,
    }
    start = 0.0
    for status, figure in figures.items():
        length = _share(figure, tally.scanned)
        yield Part(status, describe(status), figure, start, length)
        start += length


def _checks(tally: Tally) -> Iterator[Check]:
    """What closes and what does not; nothing is said of figures that nobody gave."""
    gaps = {(gap.what, gap.other): gap for gap in tally.gaps()}
    if tally.issued is not None and tally.collected is not None:
        text = _("No more papers were collected ({collected}) than issued ({issued}).").format(
            collected=tally.collected, issued=tally.issued
        )
        yield _check(text, gaps.pop(("collected", "issued"), None))
    if tally.collected is not None:
        text = _("Every paper collected was scanned: {collected}.").format(
            collected=tally.collected
        )
        yield _check(text, gaps.pop(("scanned", "collected"), None))
    for gap in gaps.values():
        yield Check(gap_in_words(gap), holds=False)
    papers = tally.scanned - tally.not_paper
    text = _("{papers} papers = {valid} valid + {void} void + {in_review} in review.").format(
        papers=papers, valid=tally.valid, void=tally.void, in_review=tally.in_review
    )
    yield Check(text, holds=papers == tally.valid + tally.void + tally.in_review)
    text = _(
        "{clean} clean + {decided} decided + {in_doubt} in doubt + {refused} refused"
        " = {scanned} scanned."
    ).format(
        clean=tally.clean,
        decided=tally.decided,
        in_doubt=tally.in_doubt,
        refused=tally.refused,
        scanned=tally.scanned,
    )
    yield Check(text, holds=True)
    if all(contest.closes for form in tally.forms for contest in form.contests):
        yield Check(_("In every question the answers add up to the valid sheets."), holds=True)


def _check(text: str, gap: Gap | None) -> Check:
    return Check(text, holds=True) if gap is None else Check(gap_in_words(gap), holds=False)


def _chart(contest: Contest, figures: ContestTally, rule: ShareRule, returned: int) -> Chart:
    names = [one.label or one.id for one in contest.options]
    names += [describe(ContestState.BLANK), describe(ContestState.OVERVOTE)]
    votes = [figures.options[one.id] for one in contest.options]
    others = [figures.blank, figures.overvote]
    answered = figures.counted - sum(others)
    whole = rule.whole(returned=returned, valid=figures.counted, answered=answered)
    shares, rest = answer_shares(votes, others, whole, rule, most=figures.max)
    return Chart(
        title=contest.title or contest.id,
        most=contest.max,
        bars=tuple(
            Bar(
                name,
                figure,
                percent_text(value, current_language()) if value is not None else "",
                _share(figure, figures.counted),
                is_option=place < len(votes),
            )
            for place, (name, figure, value) in enumerate(
                zip(names, [*votes, *others], [*shares, *rest], strict=True)
            )
        ),
        closes=figures.closes,
        sum_text=_sum_in_words(figures),
    )


def _sum_in_words(figures: ContestTally) -> str:
    votes = sum(figures.options.values())
    if figures.max == 1:
        return _("{votes} + {blank} blank + {overvote} too many = {counted} sheets").format(
            votes=votes, blank=figures.blank, overvote=figures.overvote, counted=figures.counted
        )
    return _(
        "{votes} votes + {unused} choices not used + {overvote} × {max} on sheets with too many"
        " = {max} × {counted} sheets"
    ).format(
        votes=votes,
        unused=figures.undervotes,
        overvote=figures.overvote,
        max=figures.max,
        counted=figures.counted,
    )


def _share(figure: int, whole: int) -> float:
    """A share of 100, as a length; to a hundredth, which no screen shows."""
    return round(100 * figure / whole, 2) if whole else 0.0
