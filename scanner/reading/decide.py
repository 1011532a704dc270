"""Measures and policy become votes and reasons. Numbers only: no image is seen here.

So a threshold can be changed on stored measures, without scanning again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from scanner.ballot import (
    IGNORED_BY_DEFAULT,
    ContestReading,
    ContestState,
    MarkState,
    Reason,
    TargetMeasures,
    TargetReading,
)
from scanner.forms.template import Contest, Rule
from scanner.settings import Settings

_EVEN_ODDS_INK = 0.08
"""Share of the inside covered at which a mark is as likely as a blemish."""
_STEEPNESS = 8.0
"""Of the log-odds over the logarithm of that share."""
_LIGHT_MARK_GAIN = 1.8
"""A faint mark has little ink dark enough to count, but much that is darker than paper."""
_MOST_FROM_SHADE = 0.9
_NEAR_BOX = 0.025
"""Share of a target's surroundings covered from which ink there may be meant as a mark, where
the contest has no other. Unmarked targets of clean scans have less than a tenth of it."""
_ON_LABEL_MM = 1.5
"""A piece of ink around a label longer than this may circle, underline or strike it out."""
_DARK_AROUND = 0.5
"""Share of the surroundings covered from which it is shadow, or the print of something else."""
_BESIDE = 0.05
"""Share of the outline's own band covered from which a mark may lie on it rather than inside."""
_SPECK_MM = 1.3
_MORE_THAN_SPECKS = 0.3
"""Ink of which no piece is longer than that may be dirt, unless it covers such a share."""
_PALE = 0.5
_LITTLE = 0.2
"""Ink less dark than that, covering less than this, is as often a seal's as a voter's."""
_FILLED = 0.70
"""Share of the inside covered from which a box may have been blackened out."""


def probability_of_mark(measures: TargetMeasures) -> float:
    """How likely a target is marked, 0..1, from the ink inside its outline.

    Grey without a stroke, as what shows through from the other side, can raise a doubt, but
    never makes a mark.
    """
    stroke = _logistic(measures.inside)
    shade = _logistic(_LIGHT_MARK_GAIN * measures.weight)
    return max(stroke, min(shade, _MOST_FROM_SHADE))


def _logistic(ink: float) -> float:
    return 1.0 / (1.0 + math.exp(-_STEEPNESS * math.log(max(ink, 1e-4) / _EVEN_ODDS_INK)))


def decide_target(
    contest: str, option: str, measures: TargetMeasures, *, covered: bool, settings: Settings
) -> TargetReading:
    """The state of one target.

    Args:
        contest: The contest's id.
        option: The option's id.
        measures: What was measured.
        covered: Whether the scan has paper there.
        settings: The thresholds.
    """
    probability = probability_of_mark(measures)
    reasons = []
    if not covered:
        reasons.append(Reason.OUTSIDE_SCAN)
    if measures.print_match < settings.min_print_match:
        reasons.append(Reason.PRINT_MISMATCH)
    if measures.residual_mm > settings.max_residual_mm:
        reasons.append(Reason.MISALIGNED)
    # Only clear of the inside does what is no mark of this target mean nothing.
    limit = 1.0 if _may_be_no_mark(measures) else settings.clearly_marked
    if not reasons and settings.clearly_unmarked < probability < limit:
        reasons.append(Reason.UNCLEAR_MARK)
    if reasons:
        state = MarkState.DOUBTFUL
    else:
        state = MarkState.MARKED if probability >= 0.5 else MarkState.UNMARKED
    return TargetReading(contest, option, state, probability, measures, tuple(reasons))


def _may_be_no_mark(measures: TargetMeasures) -> bool:
    """Whether ink inside, however much, may be something else: a streak, a seal, shadow, dirt."""
    is_speck = measures.extent_mm < _SPECK_MM and measures.inside < _MORE_THAN_SPECKS
    is_pale = measures.weight < _PALE * measures.inside and measures.inside < _LITTLE
    return is_speck or is_pale or measures.through > 0 or measures.outside >= _DARK_AROUND


def decide_contest(
    contest: Contest, targets: Sequence[TargetReading], rule: Rule
) -> ContestReading:
    """What the marks of one contest on one sheet amount to.

    Args:
        contest: The contest, with how many options may be chosen.
        targets: Its targets on this sheet; those of a missing page may be absent.
        rule: The form's rule.
    """
    marked = tuple(target.option for target in targets if target.state is MarkState.MARKED)
    reasons = list(dict.fromkeys(reason for target in targets for reason in target.reasons))
    if len(targets) < len(contest.options):
        reasons.append(Reason.PAGE_MISSING)
    if len(marked) > contest.max:
        reasons.append(Reason.OVERVOTE)
    if rule.cancel == "filled" and any(_is_filled(target) for target in targets):
        reasons.append(Reason.POSSIBLE_CORRECTION)
    if not marked:
        reasons.extend(_ink_without_mark(targets))
        reasons.append(Reason.BLANK_CONTEST)
    elif len(marked) < contest.max:
        if any(_is_beside(target) for target in targets):
            reasons.append(Reason.MARK_BESIDE_BOX)
        reasons.append(Reason.UNDERVOTE)
    return ContestReading(
        contest.id, _state(contest, marked, reasons, rule), marked, tuple(reasons)
    )


def _is_filled(target: TargetReading) -> bool:
    return target.state is MarkState.MARKED and target.measures.inside >= _FILLED


def _is_beside(target: TargetReading) -> bool:
    """Where more may be chosen than is marked, a mark on an outline may be meant as well."""
    return target.state is MarkState.UNMARKED and target.measures.outline >= _BESIDE


def _ink_without_mark(targets: Sequence[TargetReading]) -> list[Reason]:
    """Why a contest without a mark may have been answered all the same."""
    reasons = []
    if any(_ink_near(target.measures) >= _NEAR_BOX for target in targets):
        reasons.append(Reason.MARK_BESIDE_BOX)
    if any(target.measures.label_mm >= _ON_LABEL_MM for target in targets):
        reasons.append(Reason.INK_WITHOUT_MARK)
    return reasons


def _ink_near(measures: TargetMeasures) -> float:
    return measures.inside + measures.outline + measures.outside


def _state(
    contest: Contest, marked: Sequence[str], reasons: Iterable[Reason], rule: Rule
) -> ContestState:
    doubts = [reason for reason in reasons if needs_review([reason], rule)]
    if doubts and doubts != [Reason.OVERVOTE]:
        return ContestState.IN_DOUBT
    if len(marked) > contest.max:
        return ContestState.OVERVOTE
    if not marked:
        return ContestState.BLANK
    return ContestState.VOTED if len(marked) == contest.max else ContestState.UNDERVOTE


def needs_review(reasons: Iterable[Reason], rule: Rule) -> bool:
    """True where one of the reasons puts the contest or the sheet before a person.

    Undervotes and blanks do so only where the form's rule asks for it.
    """
    wanted = {Reason(name) for name in rule.review}
    return any(reason not in IGNORED_BY_DEFAULT or reason in wanted for reason in reasons)
