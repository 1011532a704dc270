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
from scanner.forms.template import TEXT_SHAPES, Contest, Rule
from scanner.reading.decide_words import has_other_ink, probability_of_words
from scanner.settings import Settings

_EVEN_ODDS_INK = 0.08
"""Share of the inside covered at which a mark is as likely as a blemish."""
_STEEPNESS = 8.0
"""Of the log-odds over the logarithm of that share."""
_COVERED_A_MM = 0.075
"""Share of the inside that a millimetre of a stroke would cover, were all pens alike: a fine pen
leaves less ink than a broad one and means as much."""
_STROKE_MM = 1.8
"""Dark strokes so long are neither specks nor pale."""
_LIGHT_MARK_GAIN = 1.8
"""A faint mark has little ink dark enough to count, but much that is darker than paper."""
_MOST_FROM_SHADE = 0.3
"""Grey without a stroke is seldom a mark: where it is one, it is a highlighter's."""
_MOST_IF_STRAY = 0.6
"""Ink that looks like something else is a mark about as often as not."""
_NEAR, _ON_LINES, _PARTLY_IN = 0.025, 0.012, 0.015
"""Shares of a target and its surroundings covered from which ink there may be meant as a mark,
where the contest has no other; around a cell, whose lines are longer, so that a mark covers less of
them; and of a box, where some of it is inside."""
_ALL_OVER, _SOME = 0.02, 0.005
"""The same in a contest with another mark, where some is inside, on the outline and around."""
_ON_LABEL_MM = 1.5
"""A piece of ink around a label longer than this may circle, underline or strike it out."""
_LINE_MM, _LINE = 2.0, 0.01
"""A piece of ink so long is no blemish, though it covers no more than that share of the inside."""
_MOSTLY_AROUND = 0.45
"""A mark lies in its target, though it sticks out: where the share of the surroundings covered is
so much of that of the inside, nearly three times as much ink lies around a box as in it."""
_DARK_AROUND = 0.4
"""Share of the surroundings covered from which it is shadow, or the print of something else."""
_ON_OUTLINE, _BESIDE, _BESIDE_MM = 0.01, 0.03, 0.5
"""Shares of the outline's own band covered, alone and with what is inside, from which a mark may
lie on it; or alone, where a piece of ink so long is inside."""
_SPECK_MM = 1.3
_MORE_THAN_SPECKS = 0.3
"""Ink of which no piece is longer than that may be dirt, unless it covers such a share."""
_PALE, PALER = 0.5, 0.42
LITTLE = 0.2
"""Ink less dark than the first, covering less than this, or less dark than the second, is as often
a seal's as a voter's."""
_SPOILT = frozenset({Reason.OVERVOTE, Reason.ALL_STRUCK})
"""A person is shown what is read, and it is clear what that is: not a vote."""
_LABEL_STRUCK = 0.6
"""Share of a label's length through which a stroke runs from which it is struck out."""
_FILLED = 0.65
"""Share of the inside covered from which a box may have been blackened out."""


def probability_of_mark(measures: TargetMeasures) -> float:
    """How likely a target is marked, 0..1, from the ink inside its outline.

    Grey without a stroke, as what shows through from the other side, can raise a doubt, but
    never makes a mark.
    """
    stroke = _logistic(max(measures.inside, _COVERED_A_MM * measures.stroke_mm))
    shade = _logistic(_LIGHT_MARK_GAIN * measures.weight)
    probability = max(stroke, min(shade, _MOST_FROM_SHADE))
    return min(probability, _MOST_IF_STRAY) if _may_be_no_mark_in_it(measures) else probability


def _logistic(ink: float) -> float:
    return 1.0 / (1.0 + math.exp(-_STEEPNESS * math.log(max(ink, 1e-4) / _EVEN_ODDS_INK)))


def decide_target(
    contest: str,
    option: str,
    measures: TargetMeasures,
    *,
    covered: bool,
    settings: Settings,
    shape: str,
) -> TargetReading:
    """The state of one target.

    Args:
        contest: The contest's id.
        option: The option's id.
        measures: What was measured.
        covered: Whether the scan has paper there.
        settings: The thresholds.
        shape: The option's shape: printed words are measured, and weighed, in their own way.
    """
    is_words = shape in TEXT_SHAPES
    probability = (
        probability_of_words(measures, shape) if is_words else probability_of_mark(measures)
    )
    reasons = []
    if not covered:
        reasons.append(Reason.OUTSIDE_SCAN)
    if measures.print_match < settings.min_print_match:
        reasons.append(Reason.PRINT_MISMATCH)
    if measures.residual_mm > settings.max_residual_mm:
        reasons.append(Reason.MISALIGNED)
    # Only clear of the inside does what is no mark of this target mean nothing.
    is_other = _may_be_no_mark(measures) if is_words else _may_be_no_mark_in_it(measures)
    limit = 1.0 if is_other else settings.clearly_marked
    if not reasons and settings.clearly_unmarked < probability < limit:
        reasons.append(Reason.UNCLEAR_MARK)
    if is_words and not reasons and has_other_ink(measures, shape, marked=probability >= 0.5):
        reasons.append(Reason.INK_WITHOUT_MARK)
    if reasons:
        state = MarkState.DOUBTFUL
    else:
        state = MarkState.MARKED if probability >= 0.5 else MarkState.UNMARKED
    return TargetReading(contest, option, state, probability, measures, tuple(reasons))


def _may_be_no_mark(measures: TargetMeasures) -> bool:
    """Whether ink inside, however much, may be something else: a streak, a seal, shadow, dirt."""
    if measures.through > 0 or measures.outside >= _DARK_AROUND:
        return True
    is_speck = measures.extent_mm < _SPECK_MM and measures.inside < _MORE_THAN_SPECKS
    pale = _PALE if measures.inside < LITTLE else PALER
    is_pale = measures.weight < pale * measures.inside
    return (is_speck or is_pale) and measures.stroke_mm < _STROKE_MM


def _may_be_no_mark_in_it(measures: TargetMeasures) -> bool:
    """The same for a box or a cell, in which a mark has to lie, and to be of strokes."""
    if _may_be_no_mark(measures) or 0 < _MOSTLY_AROUND * measures.inside <= measures.outside:
        return True
    # Strokes are darker than their edges: of more shade than ink, most is too pale for them.
    return measures.weight > measures.inside and measures.stroke_mm < _STROKE_MM


def is_of_ink(target: TargetReading) -> bool:
    """Whether a mark is dark enough to tell that its voter wrote with no highlighter."""
    measures = target.measures
    return target.state is MarkState.MARKED and measures.weight >= PALER * measures.inside


def decide_contest(
    contest: Contest, targets: Sequence[TargetReading], rule: Rule
) -> ContestReading:
    """What the marks of one contest on one sheet amount to.

    Args:
        contest: The contest, with how many options may be chosen.
        targets: Its targets on this sheet; those of a missing page may be absent.
        rule: The form's rule.
    """
    wanted = MarkState.UNMARKED if contest.is_struck else MarkState.MARKED
    chosen = tuple(target.option for target in targets if target.state is wanted)
    reasons = list(dict.fromkeys(reason for target in targets for reason in target.reasons))
    if len(targets) < len(contest.options):
        reasons.append(Reason.PAGE_MISSING)
    if len(chosen) > contest.max:
        reasons.append(Reason.OVERVOTE)
    if any(_is_taken_back(target, rule) for target in _boxes(contest, targets)):
        reasons.append(Reason.POSSIBLE_CORRECTION)
    reasons.extend(_struck_out(targets) if contest.is_struck else _left_out(contest, targets))
    if 0 < len(chosen) < contest.max:
        reasons.append(Reason.UNDERVOTE)
    return ContestReading(
        contest.id, _state(contest, chosen, reasons, rule), chosen, tuple(reasons)
    )


def _struck_out(targets: Sequence[TargetReading]) -> list[Reason]:
    """Whether no name is struck out, or every one."""
    states = {target.state for target in targets}
    if states == {MarkState.UNMARKED}:
        return [Reason.NOTHING_STRUCK]
    return [Reason.ALL_STRUCK] if states == {MarkState.MARKED} else []


def _left_out(contest: Contest, targets: Sequence[TargetReading]) -> list[Reason]:
    """That nothing is marked, and why there may be an answer all the same, or one more."""
    marked = sum(target.state is MarkState.MARKED for target in targets)
    if not marked:
        return [*_ink_without_mark(contest, targets), Reason.BLANK_CONTEST]
    # Where all marks are used up: in a table, tails of ticks run over the lines of other cells.
    cells = {one.id for one in contest.options if one.shape == "cell" and marked >= contest.max}
    reasons = []
    if any(_is_beside(target) for target in targets if target.option not in cells):
        reasons.append(Reason.MARK_BESIDE_BOX)
    unmarked = [one for one in _boxes(contest, targets) if one.state is MarkState.UNMARKED]
    if any(_has_line(target.measures) for target in unmarked):
        reasons.append(Reason.INK_WITHOUT_MARK)
    return reasons


def _boxes(contest: Contest, targets: Sequence[TargetReading]) -> list[TargetReading]:
    """The targets that can be blackened out: printed words cannot."""
    words = {option.id for option in contest.options if option.shape in TEXT_SHAPES}
    return [target for target in targets if target.option not in words]


def _is_taken_back(target: TargetReading, rule: Rule) -> bool:
    """Whether a mark may be taken back: its box blackened, or its label struck out."""
    if target.state is MarkState.UNMARKED:
        return False
    is_filled = rule.fill_cancels and target.measures.inside >= _FILLED
    return is_filled or target.measures.label_struck >= _LABEL_STRUCK


def _is_beside(target: TargetReading) -> bool:
    """A mark on an outline, or pale and all over a box, may be one more, or one too many."""
    measures = target.measures
    parts = measures.inside, measures.outline, measures.outside
    is_much = measures.outline + measures.inside >= _BESIDE or measures.extent_mm >= _BESIDE_MM
    is_on_it = measures.outline >= _ON_OUTLINE and is_much
    is_all_over = min(parts) >= _SOME and sum(parts) >= _ALL_OVER
    return target.state is MarkState.UNMARKED and (is_on_it or is_all_over)


def _ink_without_mark(contest: Contest, targets: Sequence[TargetReading]) -> list[Reason]:
    """Why a contest without a mark may have been answered all the same."""
    reasons = []
    shapes = {option.id: option.shape for option in contest.options}
    if any(has_ink_near(target.measures, shapes[target.option]) for target in targets):
        reasons.append(Reason.MARK_BESIDE_BOX)
    if any(target.measures.label_mm >= _ON_LABEL_MM for target in targets):
        reasons.append(Reason.INK_WITHOUT_MARK)
    return reasons


def has_ink_near(measures: TargetMeasures, shape: str) -> bool:
    """Whether there is so much ink at an unmarked target that it may be meant as a mark."""
    if shape not in TEXT_SHAPES and _has_line(measures):
        return True
    around = measures.outline + measures.outside
    if shape == "cell":
        return around >= _ON_LINES or measures.inside + around >= _NEAR
    return measures.inside + around >= (_PARTLY_IN if measures.inside >= _SOME else _NEAR)


def _has_line(measures: TargetMeasures) -> bool:
    """Whether a thin or pale line lies inside that is too long for dirt, and is no known tail."""
    is_long = measures.extent_mm >= _LINE_MM and measures.inside >= _LINE
    return is_long and not measures.through


def _state(
    contest: Contest, chosen: Sequence[str], reasons: Iterable[Reason], rule: Rule
) -> ContestState:
    doubts = {reason for reason in reasons if needs_review([reason], rule)}
    if doubts - _SPOILT:
        return ContestState.IN_DOUBT
    if len(chosen) > contest.max:
        return ContestState.OVERVOTE
    if not chosen:
        return ContestState.BLANK
    return ContestState.VOTED if len(chosen) == contest.max else ContestState.UNDERVOTE


def needs_review(reasons: Iterable[Reason], rule: Rule) -> bool:
    """True where one of the reasons puts the contest or the sheet before a person.

    Undervotes and blanks do so only where the form's rule asks for it.
    """
    wanted = {Reason(name) for name in rule.review}
    return any(reason not in IGNORED_BY_DEFAULT or reason in wanted for reason in reasons)
