"""The figures of a count kept up to date while people decide.

All that was read is summed by the database, once. Only the sheets that are in doubt, or on which
somebody has decided, or that a rule may make void, are looked at one by one, and after that only
those that the record names.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Sequence
from weakref import WeakKeyDictionary

from scanner.ballot import Reason, SheetStatus
from scanner.counting.adjudication import (
    Decision,
    SheetRecord,
    as_read,
    disputed_contests,
    standing,
)
from scanner.counting.finals import Finals
from scanner.counting.journal import Action
from scanner.counting.reconcile import told_in_all
from scanner.counting.second_reader import ONE_READER, Readers, SecondReader, close_contests
from scanner.counting.sheet_rules import SheetRules, judge
from scanner.counting.store import Store
from scanner.counting.tally import CastVoteRecord, Standing, Sums, Tally
from scanner.forms.template import Form

CHANGES_ALL = frozenset({Action.EVENT, Action.REWORKED})
"""Entries of the record after which any sheet may be read otherwise."""


class Figures:
    """The sums of an open count; safe to be used by several threads at once.

    Args:
        store: The count.
        forms: Its forms.
    """

    def __init__(self, store: Store, forms: Sequence[Form]) -> None:
        self._store = store
        self._forms = forms
        self._by_id = {form.id: form for form in forms}
        self._lock = threading.RLock()
        self._head = -1
        self._rules = SheetRules()
        self._readers = ONE_READER
        self._forget()

    def tally(self) -> Tally:
        """The sums as they stand now, with the papers that were issued and collected."""
        with self._lock:
            self._catch_up()
            told = told_in_all(self._store.batch_facts(), self._store.paper_facts())
            return self._sums.tally(
                self._forms,
                issued=told.issued,
                collected=told.collected,
                hand_count=told.hand_count,
            )

    def close_contests(self) -> frozenset[tuple[str, str]]:
        """The contests in which people could change who leads, by ids of form and contest."""
        with self._lock:
            self._catch_up()
            return self._close()

    def head(self) -> int:
        """The number of the last entry of the record that the figures heed."""
        with self._lock:
            self._catch_up()
            return self._head

    def _catch_up(self) -> None:
        """Take in what was written since."""
        head = self._store.head()[0]
        if head == self._head:
            return
        entries = list(self._store.entries(after=self._head)) if self._head >= 0 else []
        if self._head < 0 or any(entry.action in CHANGES_ALL for entry in entries):
            self._load()
        else:
            touched = {entry.sheet for entry in entries if entry.sheet is not None}
            papers = self._store.same_papers()
            also = {other for sheet in touched for other in papers.get(sheet, ())}
            # What is refused now stands in no other's way any more, though nothing names that one.
            known = {n for n, one in self._records.items() if Reason.SAME_PAPER in one.reasons}
            self._look_at({*touched, *also, *known})
        # Entries written meanwhile are looked at once more.
        self._head = head
        self._heed_readers()

    def _load(self) -> None:
        self._forget()
        self._rules = self._store.sheet_rules()
        sheets, refused = self._store.sheet_sums()
        for form, number in sheets.items():
            self._sums.add_sheets(CastVoteRecord(_ANY, form, SheetStatus.CLEAN), number)
        for reason, number in refused.items():
            page = CastVoteRecord(_ANY, None, SheetStatus.REFUSED, refusal=reason)
            self._sums.add_sheets(judge(page, None, self._rules), number)
        for form, reading, number in self._store.reading_sums():
            for sums in (self._sums, self._undisputed):
                sums.add_votes(form, as_read(reading), number)
        may_be_void = self._store.may_be_void(self._rules)
        self._look_at({*self._store.suspects(self._forms), *may_be_void})

    def _forget(self) -> None:
        self._sums = Sums()
        self._undisputed = Sums()
        self._disputed: Counter[tuple[str, str]] = Counter()
        self._records: dict[int, SheetRecord] = {}
        self._made: dict[int, Sequence[Decision]] = {}
        self._finals: dict[int, CastVoteRecord] = {}

    def _look_at(self, sheets: Collection[int]) -> None:
        """Sum some sheets as they stand now instead of as they were summed before."""
        made = self._store.some_decisions(sheets)
        for record in self._store.some_sheets(sheets):
            self._dispute(record.sheet, -1)
            self._records[record.sheet] = record
            self._made[record.sheet] = made.get(record.sheet, ())
            self._dispute(record.sheet, 1)
            self._sum(record.sheet)

    def _sum(self, sheet: int) -> None:
        record = self._records[sheet]
        former = self._finals.get(sheet)
        self._sums.add(former if former is not None else _clean(record), -1)
        final = Finals(self._by_id, self._rules, self._readers).of(record, self._made[sheet])
        self._sums.add(final)
        self._finals[sheet] = final

    def _dispute(self, sheet: int, times: int) -> None:
        """Take the disputed answers of a sheet out of the undisputed ones; -1 puts them back."""
        record = self._records.get(sheet)
        if record is None or record.form is None:
            return
        form = self._by_id[record.form]
        disputed = disputed_contests(record, standing(self._made[sheet]), form.rule)
        if disputed and self._rules.void_by_one_contest:
            # What people say of one question may take the votes of all others away.
            disputed = {reading.contest for reading in record.contests}
        is_void = judge(_clean(record), form, self._rules).standing is Standing.VOID
        for reading in record.contests:
            if reading.contest in disputed:
                self._disputed[record.form, reading.contest] += times
            if reading.contest in disputed or is_void:
                self._undisputed.add_votes(record.form, as_read(reading), -times)

    def _heed_readers(self) -> None:
        """Look at all sheets once more where other answers need a second reader now."""
        policy = self._store.second_reader()
        is_close = policy is SecondReader.CLOSE
        readers = Readers(policy, self._close() if is_close else frozenset())
        if readers != self._readers:
            self._readers = readers
            for sheet in self._records:
                self._sum(sheet)

    def _close(self) -> frozenset[tuple[str, str]]:
        votes = {
            (form.id, contest.id): self._undisputed.votes(form.id, contest)
            for form in self._forms
            for contest in form.contests
        }
        return close_contests(self._forms, votes, self._disputed)


_ANY = 0
"""Instead of the number of a sheet, where it is one of many."""

_known: WeakKeyDictionary[Store, Figures] = WeakKeyDictionary()
_lock = threading.Lock()


def figures_of(store: Store, forms: Sequence[Form]) -> Figures:
    """The figures of an open count, which are kept as long as it is open.

    Args:
        store: The count.
        forms: Its forms.
    """
    with _lock:
        if store not in _known:
            _known[store] = Figures(store, forms)
        return _known[store]


def _clean(record: SheetRecord) -> CastVoteRecord:
    """A sheet as it was summed before anybody looked at it."""
    votes = tuple(as_read(reading) for reading in record.contests)
    return CastVoteRecord(record.sheet, record.form, SheetStatus.CLEAN, votes)
