"""Which marks the sheets of a test deck bear: every option, every kind of mark, every doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from enum import StrEnum

import numpy as np
from numpy.random import Generator

from scanner.errors import BadArgumentsError
from scanner.forms.deck import DeckMark, DeckSheet, DeckSums, DeckTarget
from scanner.forms.template import TEXT_SHAPES, Contest, Form, Rule
from scanner.messages import gettext as _

MOST_SHEETS = 10_000
_BLANK_SHARE = 0.1
_MOST_CHOSEN = 4
"""However many options may be chosen, few are."""
_LOST_IN_PRINT = frozenset({DeckMark.DOT, DeckMark.SLASH})
"""Marks so small that on a target with a number or letter in it a person may be asked."""


def least_sheets(form: Form) -> int:
    """How many sheets it takes to mark each option once and to try each kind of fault."""
    most = max((len(contest.options) for contest in form.contests), default=0)
    faults = max((len(_faults(contest, form.rule)) for contest in form.contests), default=0)
    return most + 1 + faults


def plan_deck(
    form: Form, sheets: int, seed: int, printed: Set[tuple[str, str]] = frozenset()
) -> tuple[DeckSheet, ...]:
    """Deal marks to the sheets of a deck.

    First every option is marked once, clearly, with each kind of mark in turn; then comes a
    blank sheet; then sheets with random answers, of which some have one contest that a person
    may be asked about: an overvote, a faint mark, a mark taken back.

    Args:
        form: The form.
        sheets: How many.
        seed: Settles all chance: the same seed gives the same deck.
        printed: Contest and option of the targets that have print inside.

    Raises:
        BadArgumentsError: The form has no targets, or there are too few sheets or too many.
    """
    if not form.contests:
        raise BadArgumentsError(_("Form {form} has no targets to mark.").format(form=form.id))
    least = least_sheets(form)
    if not least <= sheets <= MOST_SHEETS:
        raise BadArgumentsError(
            _("A deck of this form has {least} to {most} sheets.").format(
                least=least, most=MOST_SHEETS
            ),
            remedy=_("With fewer, not every option and every kind of mark would be tried."),
        )
    generators = (np.random.default_rng([seed, 1, index]) for index in range(sheets))
    dealt = (_deal(form, index, rng) for index, rng in enumerate(generators))
    return tuple(_doubt_small_marks(sheet, printed) for sheet in dealt)


def _doubt_small_marks(sheet: DeckSheet, printed: Set[tuple[str, str]]) -> DeckSheet:
    """The same sheet, with a doubt meant where a small mark lies on print."""
    contests = {
        contest: {
            option: one.model_copy(update={"doubt": True})
            if one.mark in _LOST_IN_PRINT and (contest, option) in printed
            else one
            for option, one in targets.items()
        }
        for contest, targets in sheet.contests.items()
    }
    return sheet.model_copy(update={"contests": contests})


def sum_up(form: Form, sheets: Sequence[DeckSheet]) -> dict[str, DeckSums]:
    """The tally of a deck: what each contest adds up to as it was meant."""
    sums = {}
    for contest in form.contests:
        votes = {option.id: 0 for option in contest.options}
        blank = overvote = 0
        for sheet in sheets:
            marked = sheet.marked(contest.id)
            blank += not marked
            overvote += len(marked) > contest.max
            if len(marked) <= contest.max:
                for option in marked:
                    votes[option] += 1
        sums[contest.id] = DeckSums(options=votes, blank=blank, overvote=overvote)
    return sums


class _Fault(StrEnum):
    """What is done to a contest that a person may be asked about."""

    OVERVOTE = "overvote"
    FAINT = "faint"
    CHANGED = "changed"
    """A mark taken back, and another made."""
    TAKEN_BACK = "taken_back"
    """A mark taken back, and no other made."""


def _faults(contest: Contest, rule: Rule) -> list[_Fault]:
    """The faults that this contest can have."""
    faults = [_Fault.FAINT]
    if len(contest.options) > contest.max:
        faults.append(_Fault.OVERVOTE)
    if rule.fill_cancels and contest.options[0].shape not in TEXT_SHAPES:
        faults.append(_Fault.TAKEN_BACK)
        if len(contest.options) > 1:
            faults.append(_Fault.CHANGED)
    return faults


def _clear_marks(contest: Contest, rule: Rule) -> list[DeckMark]:
    """Marks that nobody doubts; where filling a box takes a mark back, a fill is not one."""
    if contest.is_struck:
        return [DeckMark.STRIKE]
    if contest.options[0].shape == "label":
        return [DeckMark.RING, DeckMark.UNDERLINE]
    marks = [DeckMark.CROSS, DeckMark.TICK, DeckMark.SLASH, DeckMark.DOT]
    return marks if rule.fill_cancels else [*marks, DeckMark.FILL]


def _deal(form: Form, index: int, rng: Generator) -> DeckSheet:
    cover = max(len(contest.options) for contest in form.contests)
    faulty = _faulty_contest(form, index - cover - 1)
    contests = {}
    for place, contest in enumerate(form.contests):
        clear = _clear_marks(contest, form.rule)
        mark = clear[(index + place) % len(clear)]
        if index < cover:
            chosen = _in_turn(contest, index + place)
        elif index == cover:
            chosen = []
        else:
            chosen = _at_random(contest, rng)
        targets = {option: DeckTarget(marked=True, mark=mark) for option in chosen}
        if faulty is not None and faulty[0] is contest:
            targets = _spoil(contest, faulty[1], mark, rng)
        if contest.is_struck:
            targets = _strike_out(contest, targets, is_touched=index != cover)
        contests[contest.id] = _complete(contest, targets, form.rule)
    is_blank = not any(one.mark for targets in contests.values() for one in targets.values())
    doubt = is_blank and "blank_sheet" in form.rule.review
    return DeckSheet(sheet=index + 1, doubt=doubt, contests=contests)


def _faulty_contest(form: Form, turn: int) -> tuple[Contest, _Fault] | None:
    """Which contest of a sheet has a fault: each fault once, then on every other sheet."""
    if turn < 0:
        return None
    first = max(len(_faults(contest, form.rule)) for contest in form.contests)
    if turn >= first and (turn - first) % 2:
        return None
    number = turn if turn < first else first + (turn - first) // 2
    pairs = list(_pairs(form, first))
    return pairs[number % len(pairs)]


def _pairs(form: Form, first: int) -> Iterator[tuple[Contest, _Fault]]:
    """Every fault of every contest, so ordered that neighbours differ in both."""
    every = [(contest, _faults(contest, form.rule)) for contest in form.contests]
    for shift in range(len(every)):
        for number in range(first):
            fitting = [pair for pair in every if number < len(pair[1])]
            contest, faults = fitting[(number + shift) % len(fitting)]
            yield contest, faults[number]


def _in_turn(contest: Contest, turn: int) -> list[str]:
    """As many options as ``turn`` asks for, from the one whose turn it is."""
    ids = [option.id for option in contest.options]
    count = 1 + turn % min(contest.max, len(ids), _MOST_CHOSEN)
    return [ids[(turn + step) % len(ids)] for step in range(count)]


def _at_random(contest: Contest, rng: Generator) -> list[str]:
    if rng.random() < _BLANK_SHARE:
        return []
    count = 1 + int(rng.integers(min(contest.max, len(contest.options), _MOST_CHOSEN)))
    chosen = rng.choice(len(contest.options), count, replace=False)
    return [contest.options[number].id for number in sorted(int(one) for one in chosen)]


def _spoil(
    contest: Contest, fault: _Fault, mark: DeckMark, rng: Generator
) -> dict[str, DeckTarget]:
    """The targets of a contest that a person may be asked about."""
    ids = [contest.options[int(n)].id for n in rng.permutation(len(contest.options))]
    clear = DeckTarget(marked=True, mark=mark, doubt=True)
    cancelled = DeckTarget(mark=DeckMark.CANCELLED, doubt=True)
    match fault:
        case _Fault.FAINT:
            return {ids[0]: DeckTarget(marked=True, mark=DeckMark.FAINT, doubt=True)}
        case _Fault.OVERVOTE:
            return dict.fromkeys(ids[: contest.max + 1], clear)
        case _Fault.TAKEN_BACK:
            return {ids[0]: cancelled}
        case _Fault.CHANGED:
            return {ids[0]: cancelled, ids[1]: clear}


def _strike_out(
    contest: Contest, chosen: dict[str, DeckTarget], *, is_touched: bool
) -> dict[str, DeckTarget]:
    """The same choice on names of which those that are not chosen are struck out.

    Args:
        contest: Whose names they are.
        chosen: The choice as marks would make it; a faint mark becomes a faint stroke.
        is_touched: False for a paper on which nothing is struck out.
    """
    faint = {name for name, one in chosen.items() if one.mark is DeckMark.FAINT}
    left = [
        option.id
        for option in contest.options
        if not is_touched or (option.id in chosen and option.id not in faint)
    ]
    doubt = bool(faint) or not 0 < len(left) <= contest.max
    return {
        option.id: DeckTarget(marked=True, doubt=doubt)
        if option.id in left
        else DeckTarget(mark=DeckMark.FAINT if option.id in faint else DeckMark.STRIKE, doubt=doubt)
        for option in contest.options
    }


def _complete(
    contest: Contest, targets: dict[str, DeckTarget], rule: Rule
) -> dict[str, DeckTarget]:
    """Every target of the contest in printed order, with the doubts that the rule asks for."""
    marked = sum(one.marked for one in targets.values())
    asks = (marked == 0 and "blank_contest" in rule.review) or (
        0 < marked < contest.max and "undervote" in rule.review
    )
    found = {option.id: targets.get(option.id, DeckTarget()) for option in contest.options}
    if asks:
        found = {name: one.model_copy(update={"doubt": True}) for name, one in found.items()}
    return found
