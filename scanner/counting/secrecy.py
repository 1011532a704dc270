"""What of single sheets may leave the house where a vote is secret.

Whoever saw in which order the papers were handed in would know from the order of the sheets who
chose what. And a voter who belongs to a small group is known by it. So sheets get new numbers in an
order drawn by lot, lose their batch, and answers that say who answers are left out where too few
gave them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import SystemRandom

from scanner.counting.account import Books
from scanner.counting.tally import CastVoteRecord
from scanner.counting.tally_file import TallyGroup
from scanner.counting.tally_making import NO_ANSWER, hide_small_groups
from scanner.forms.template import Contest, Form

Shuffle = Callable[[list[CastVoteRecord]], None]
"""Puts a list into another order, in place."""

_by_lot: Shuffle = SystemRandom().shuffle


@dataclass(frozen=True, slots=True)
class Secrecy:
    """What is asked for."""

    is_secret: bool = False
    """Sheets have new numbers in an order drawn by lot, and no batch."""
    smallest_group: int = 0
    """What says who answers is left out where fewer valid sheets say so; 0 leaves nothing out."""


OPEN = Secrecy()
"""Nothing is hidden."""


@dataclass(frozen=True, slots=True)
class ListedSheet:
    """One sheet as it may leave the house."""

    number: int
    """Its own, or a new one."""
    batch: int | None
    """None where it is hidden."""
    record: CastVoteRecord
    """Its final votes without answers that are hidden; with its own number."""


def list_sheets(
    books: Books,
    secrecy: Secrecy,
    *,
    only_valid: bool = False,
    shuffle: Shuffle = _by_lot,
) -> list[ListedSheet]:
    """The sheets of a count as they may leave the house.

    Args:
        books: The count's.
        secrecy: What is asked for.
        only_valid: Leave out what is void, waits or is no paper.
        shuffle: Draws the order; the machine's source of chance, which no seed brings back.
    """
    records = books.valid() if only_valid else list(books.records)
    for form in books.forms:
        for contest in form.contests:
            if contest.breakdown and secrecy.smallest_group > 1:
                records = _without_small_groups(books, form, contest, records, secrecy)
    if not secrecy.is_secret:
        return [ListedSheet(one.sheet, books.batches[one.sheet], one) for one in records]
    shuffle(records)
    return [ListedSheet(number, None, one) for number, one in enumerate(records, 1)]


def _without_small_groups(
    books: Books,
    form: Form,
    contest: Contest,
    records: Sequence[CastVoteRecord],
    secrecy: Secrecy,
) -> list[CastVoteRecord]:
    """The sheets without their answer to a contest where its group is hidden in the tally too."""
    sizes = dict.fromkeys((*(option.id for option in contest.options), NO_ANSWER), 0)
    for one in books.valid(form):
        for name in _groups(one, contest):
            sizes[name] += 1
    groups = [TallyGroup(name, "", size, ()) for name, size in sizes.items()]
    shown = hide_small_groups(groups, secrecy.smallest_group)
    hidden = {one.id for one in shown if one.contests is None}
    return [
        _without(one, contest)
        if one.form == form.id and hidden.intersection(_groups(one, contest))
        else one
        for one in records
    ]


def _groups(record: CastVoteRecord, contest: Contest) -> Sequence[str]:
    """The groups of a sheet by its answers to a contest, as in the tally."""
    chosen = (vote.options for vote in record.votes if vote.contest == contest.id)
    return next(chosen, ()) or (NO_ANSWER,)


def _without(record: CastVoteRecord, contest: Contest) -> CastVoteRecord:
    votes = tuple(vote for vote in record.votes if vote.contest != contest.id)
    return replace(record, votes=votes)
