"""The queue of doubts: what still needs a person, in the order of the scan, kept in memory.

It is loaded once, by asking the database only for what may be in doubt. After every decision the
sheet concerned is read anew; what other programs or other people have written meanwhile is noticed
by the head of the journal. Nothing is decided here.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import chain, pairwise
from statistics import median

from scanner.ballot import Reason
from scanner.counting.adjudication import (
    Answers,
    Decision,
    Question,
    SheetRecord,
    Stage,
    answers,
    open_questions,
    standing,
)
from scanner.counting.journal import Action
from scanner.counting.people import Person, Role, is_same_name
from scanner.counting.results import readers_of
from scanner.counting.second_reader import Readers
from scanner.counting.store import Store
from scanner.forms.template import Form

PAUSE_S = 120.0
"""A gap between two decisions longer than this was a pause, and tells nothing of the pace."""
PACE_OF = 60
"""The pace is that of so many decisions, the latest."""
ENOUGH_FOR_PACE = 5
"""Gaps between decisions from which a pace can be told."""


class Pile(StrEnum):
    """The lists that a doubt can lie in."""

    OPEN = "open"
    SECOND = "second"
    """One person has decided; a second one is asked to read it as well."""
    DISAGREE = "disagree"
    """The two did not see the same."""
    ESCALATED = "escalated"
    """Somebody wants the committee to see it."""
    DECIDED = "decided"
    """Nothing is asked any more; a person has decided."""


FOR_COMMITTEE = frozenset({Pile.DISAGREE, Pile.ESCALATED})
"""What only the committee may decide."""

_CHANGES_ALL = frozenset({Action.EVENT, Action.POLICY, Action.REWORKED})
"""After one of these other sheets may be there, or in doubt."""

Place = tuple[int, str | None]
"""A sheet and one of its contests, or None for the sheet as a whole."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing that waits for a person, or that a person has decided."""

    sheet: int
    contest: str | None
    """None for the sheet as a whole."""
    form: str
    batch: int
    pile: Pile
    reasons: tuple[Reason, ...] = ()
    """All that speak for asking; none where a second reader must not know them."""
    stage: Stage = Stage.FIRST
    """The stage that a decision on it has."""
    readers: tuple[str, ...] = ()
    """Who of two readers has read it already: the other one is somebody else."""

    @property
    def place(self) -> Place:
        """What tells it from all others."""
        return self.sheet, self.contest

    @property
    def is_blind(self) -> bool:
        """Whether whoever reads it must not know what was read before, by people or machine."""
        return bool(self.readers)

    @property
    def is_escalated(self) -> bool:
        """Whether only the committee may decide it."""
        return self.pile in FOR_COMMITTEE


@dataclass(frozen=True, slots=True)
class Filter:
    """Which doubts are wanted; what is None is not asked about."""

    pile: Pile | None = None
    """None: everything that the person who asks may decide now."""
    reason: Reason | None = None
    form: str | None = None
    batch: int | None = None
    question: tuple[str, str] | None = None
    """Ids of a form and of one of its contests."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many doubts each filter would leave, all other filters staying as they are."""

    mine: int
    """What the person who asks may decide, whatever list it lies in."""
    piles: dict[Pile, int]
    reasons: dict[Reason, int]
    forms: dict[str, int]
    batches: dict[int, int]
    questions: dict[tuple[str, str], int]
    """By ids of form and contest."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the doubts are decided at present."""

    seconds_each: float
    """The median time from one decision to the next, pauses left out."""

    def seconds_for(self, doubts: int) -> float:
        """How long so many doubts take at this pace."""
        return self.seconds_each * doubts


def measure_pace(moments: Sequence[datetime]) -> Pace | None:
    """The pace of the latest decisions; None where too few of them follow on each other.

    Args:
        moments: When they were made, oldest first, by however many people together.
    """
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    working = [gap for gap in gaps if gap <= PAUSE_S]
    return Pace(median(working)) if len(working) >= ENOUGH_FOR_PACE else None


class Queue:
    """All doubts of a count, in scan order; safe to be used by several threads at once.

    Args:
        store: The count.
        forms: Its forms.
    """

    def __init__(self, store: Store, forms: Sequence[Form]) -> None:
        self._store = store
        self._forms = {form.id: form for form in forms}
        self._lock = threading.RLock()
        self._by_sheet: dict[int, tuple[Doubt, ...]] = {}
        self._order: list[int] = []
        self._skipped: dict[int, list[Place]] = {}
        self._readers = Readers()
        self._head = 0

    @classmethod
    def load(cls, store: Store, forms: Sequence[Form]) -> Queue:
        """The queue of a count as it stands now.

        Args:
            store: The count.
            forms: Its forms.
        """
        queue = cls(store, forms)
        queue.reload()
        return queue

    def reload(self) -> None:
        """Read everything anew."""
        with self._lock:
            # Read first: what is written while the sheets are read is then looked at once more.
            self._head = self._store.head()[0]
            self._readers = readers_of(self._store, list(self._forms.values()))
            self._by_sheet = {}
            self._read(self._store.suspects(self._forms.values()))
            self._order = sorted(self._by_sheet)

    def catch_up(self) -> None:
        """Take in what others have written since; next to nothing where nobody has."""
        with self._lock:
            head = self._store.head()[0]
            if head == self._head:
                return
            entries = list(self._store.entries(after=self._head))
            is_other = any(entry.action in _CHANGES_ALL for entry in entries)
            # A decision may make a contest close, and then others on it wait for a second reader.
            if is_other or readers_of(self._store, list(self._forms.values())) != self._readers:
                self.reload()
                return
            self._head = head
            self.refresh(*{entry.sheet for entry in entries if entry.sheet is not None})

    def refresh(self, *sheets: int) -> None:
        """Read sheets anew, and those that seem to be the same paper as one of them."""
        with self._lock:
            wanted = {*sheets}
            before = [doubt for sheet in sheets for doubt in self._by_sheet.get(sheet, ())]
            papers = self._store.same_papers()
            if any(Reason.SAME_PAPER in doubt.reasons for doubt in before) or wanted & {*papers}:
                # Whether one of them counts says whether the others still have a double.
                wanted |= {doubt.sheet for doubt in self._all() if _is_double(doubt)} | {*papers}
            self._read(wanted)
            self._order = sorted(self._by_sheet)

    def find(self, place: Place) -> Doubt | None:
        """The doubt of that place, if there is one or was one that a person has decided."""
        return next((doubt for doubt in self.on_sheet(place[0]) if doubt.place == place), None)

    def on_sheet(self, sheet: int) -> tuple[Doubt, ...]:
        """All that is asked about a sheet, and all that was decided of it."""
        with self._lock:
            return self._by_sheet.get(sheet, ())

    def doubts(self, wanted: Filter, person: Person) -> list[Doubt]:
        """The doubts that a filter leaves, in scan order.

        Args:
            wanted: The filter.
            person: Who asks: what they may decide depends on them.
        """
        return [doubt for doubt in self._all() if _is_wanted(doubt, wanted, person)]

    def count(self, wanted: Filter, person: Person) -> Counts:
        """How many doubts each value of each filter would leave.

        Args:
            wanted: The filters as they are set.
            person: Who asks.
        """
        doubts = self._all()

        def leave(**without: None) -> Iterator[Doubt]:
            relaxed = replace(wanted, **without)
            return (doubt for doubt in doubts if _is_wanted(doubt, relaxed, person))

        anywhere = [doubt for doubt in doubts if _fits(doubt, wanted)]
        return Counts(
            mine=sum(is_for(doubt, person) for doubt in anywhere),
            piles=Counter(doubt.pile for doubt in anywhere),
            reasons=Counter(reason for doubt in leave(reason=None) for reason in doubt.reasons),
            forms=Counter(doubt.form for doubt in leave(form=None)),
            batches=Counter(doubt.batch for doubt in leave(batch=None)),
            questions=Counter(
                (doubt.form, doubt.contest)
                for doubt in leave(question=None)
                if doubt.contest is not None
            ),
        )

    def left(self, wanted: Filter, person: Person) -> int:
        """How many doubts a filter leaves."""
        return sum(_is_wanted(doubt, wanted, person) for doubt in self._all())

    def pace(self) -> Pace | None:
        """How fast people decide at present, all of them together; None if that is not known."""
        return measure_pace(self._store.decided_at(PACE_OF))

    def next_after(
        self, place: Place | None, person: Person, wanted: Filter, *, held: Collection[int] = ()
    ) -> Doubt | None:
        """The doubt to look at next: the following one, and after the last the first again.

        What the person has skipped comes at the end, in the order in which it was skipped.

        Args:
            place: Where the person is; None begins at the beginning.
            person: Who asks.
            wanted: Only these.
            held: Sheets that somebody else is at.
        """
        with self._lock:
            skipped = self._skipped.get(person.id, [])
            ahead = (doubt for doubt in self._walk(place) if doubt.place not in skipped)
            again = (doubt for one in skipped if (doubt := self.find(one)) is not None)
            for doubt in chain(ahead, again):
                is_free = doubt.sheet not in held and doubt.place != place
                if is_free and _is_wanted(doubt, wanted, person):
                    return doubt
        return None

    def before(self, place: Place, person: Person, wanted: Filter) -> Doubt | None:
        """The doubt before a place, skipped or not; None before the first."""
        found = None
        for doubt in self._all():
            if self._rank(doubt.place) >= self._rank(place):
                break
            if _is_wanted(doubt, wanted, person):
                found = doubt
        return found

    def skip(self, place: Place, person: Person) -> None:
        """Let a person come back to this later, after all others."""
        with self._lock:
            skipped = self._skipped.setdefault(person.id, [])
            if place in skipped:
                skipped.remove(place)
            skipped.append(place)

    def _read(self, sheets: Collection[int]) -> None:
        """Put what some sheets ask into the place of what they asked before."""
        decisions = self._store.some_decisions(sheets)
        for sheet in sheets:
            self._by_sheet.pop(sheet, None)
        for record in self._store.some_sheets(sheets):
            form = self._forms.get(record.form or "")
            if form is None:
                continue
            doubts = _doubts_of(record, decisions.get(record.sheet, ()), form, self._readers)
            if doubts:
                self._by_sheet[record.sheet] = tuple(doubts)

    def _all(self) -> list[Doubt]:
        with self._lock:
            return [doubt for sheet in self._order for doubt in self._by_sheet[sheet]]

    def _walk(self, place: Place | None) -> Iterator[Doubt]:
        """All doubts, from a place on and round to it."""
        if place is None:
            yield from self._all()
            return
        start = bisect_left(self._order, place[0])
        rank = self._rank(place)
        here = self._by_sheet.get(place[0], ())
        yield from (doubt for doubt in here if self._rank(doubt.place) > rank)
        rest = (*self._order[start:], *self._order[:start])
        for sheet in rest:
            if sheet != place[0]:
                yield from self._by_sheet[sheet]
        yield from (doubt for doubt in here if self._rank(doubt.place) <= rank)

    def _rank(self, place: Place) -> tuple[int, int]:
        """Where a place lies among all: a sheet as a whole before its contests."""
        sheet, contest = place
        doubts = self._by_sheet.get(sheet)
        if contest is None or not doubts:
            return sheet, -1
        names = [one.id for one in self._forms[doubts[0].form].contests]
        return sheet, names.index(contest) if contest in names else -1


def is_for(doubt: Doubt, person: Person) -> bool:
    """Whether a doubt waits for this person; an observer sees all that wait for anybody."""
    if doubt.pile is Pile.DECIDED:
        return False
    if person.role is Role.OBSERVER:
        return True
    if person.role is Role.READER and doubt.is_escalated:
        return False
    return not any(is_same_name(person.name, reader) for reader in doubt.readers)


def _is_double(doubt: Doubt) -> bool:
    return Reason.SAME_PAPER in doubt.reasons


def _is_wanted(doubt: Doubt, wanted: Filter, person: Person) -> bool:
    is_there = is_for(doubt, person) if wanted.pile is None else doubt.pile is wanted.pile
    return is_there and _fits(doubt, wanted)


def _fits(doubt: Doubt, wanted: Filter) -> bool:
    """Whether it passes all filters but that of the list."""
    return (
        wanted.reason in {None, *doubt.reasons}
        and wanted.form in {None, doubt.form}
        and wanted.batch in {None, doubt.batch}
        and wanted.question in {None, (doubt.form, doubt.contest)}
    )


def _doubts_of(
    record: SheetRecord, decisions: Sequence[Decision], form: Form, readers: Readers
) -> list[Doubt]:
    """What is asked about a sheet, and what people have decided of it."""
    made = standing(decisions)
    asked = {one.contest: one for one in open_questions(record, decisions, form.rule, readers)}
    decided = {one.contest for one in answers(made)}
    found = []
    for contest in (None, *(reading.contest for reading in record.contests)):
        question = asked.get(contest)
        if question is None and contest not in decided:
            continue
        given = Answers.of(made, contest)
        doubt = Doubt(
            sheet=record.sheet,
            contest=contest,
            form=form.id,
            batch=record.batch,
            pile=_pile_of(question, given),
        )
        if question is not None:
            readers_so_far = _readers_so_far(question, given)
            doubt = replace(
                doubt,
                # Whoever reads it for the second time is not told what the machine saw.
                reasons=() if readers_so_far else question.reasons,
                stage=question.stage,
                readers=readers_so_far,
            )
        found.append(doubt)
    return found


def _readers_so_far(question: Question, given: Answers) -> tuple[str, ...]:
    """Who has read what one of two readers is still to read."""
    one, other = given.first, given.second
    if question.stage is Stage.SECOND and one is not None:
        return (one.by,)
    if question.stage is Stage.FIRST and one is None and other is not None:
        return (other.by,)
    return ()


def _pile_of(question: Question | None, given: Answers) -> Pile:
    if question is None:
        return Pile.DECIDED
    if given.differ:
        return Pile.DISAGREE
    if question.stage is Stage.COMMITTEE:
        return Pile.ESCALATED
    return Pile.SECOND if question.stage is Stage.SECOND else Pile.OPEN
