"""Counts of measures with refused pages, and what people do with their sheets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scanner.ballot import PageReading, Reason, SheetStatus, UnreadablePage
from scanner.counting.adjudication import Decision, SheetRecord, Verdict
from scanner.counting.bench import Hand
from scanner.counting.figures import figures_of
from scanner.counting.intake import scan
from scanner.counting.kept_forms import keep_forms, load_kept_forms
from scanner.counting.page_order import PageOrder
from scanner.counting.records import BatchRequest, PageResult, PlannedPage, ScannedFile
from scanner.counting.redecide import redecide
from scanner.counting.results import decide, now, tally_count
from scanner.counting.rework import keep_look, pair, set_aside, take_apart, type_by_hand, undo
from scanner.counting.reworked import ReworkKind
from scanner.counting.second_look import SecondLook
from scanner.counting.store import Store
from scanner.forms.template import Form
from scanner.reading.read_again import Told
from scanner.settings import Settings
from tests.stored_counts import READ_WITH, ink
from tests.stored_counts import _read as read_page

LAN = Hand("Lan", "the paper shows it")
TARGETS = 6
MARKED, EMPTY, FAINT = ink(0.3), ink(0.0), ink(0.1)


def page_of(form: Form, number: int, seed: int = 0, *, is_faint: bool = False) -> PageReading:
    """A page with one mark in each question."""
    targets = [EMPTY] * TARGETS
    targets[seed % 3] = FAINT if is_faint else MARKED
    targets[3 + (seed + 1) % 3] = MARKED
    return read_page(form, number, targets, Settings(), ())


REFUSED = UnreadablePage(Reason.UNKNOWN_FORM, {"most_alike": ""})
BLANK = UnreadablePage(Reason.BLANK_PAGE, {})

Pile = Sequence[PageReading | UnreadablePage]


def make(folder: Path, form: Form, pile: Pile, order: PageOrder = PageOrder.FRONTS_FIRST) -> Path:
    """A count of one batch, as a scan of these pages would have left it."""
    with Store(folder, create=True) as store:
        if form.id not in store.forms():
            keep_forms(store, form.folder.parent, [form.id])
        request = BatchRequest(files=("a.pdf",), order=order)
        batch = store.begin_batch(request, Settings().model_dump_json())
        name = f"{batch.id}.pdf"
        store.add_file(ScannedFile(batch.id, 0, name, name, name, len(pile)))
        (file,) = store.files(batch.id)
        store.plan_pages(batch.id, [PlannedPage(n, file.id, n + 1, 1) for n in range(len(pile))])
        waiting = store.pages_to_read(batch.id, after=-1, limit=len(pile))
        store.save_results(
            [
                PageResult(source.page, f"{batch.id}-{source.position}", result)
                for source, result in zip(waiting, pile, strict=True)
            ]
        )
    scan(folder, BatchRequest(), form.folder.parent)
    return folder


class Table:
    """An open count and what people do with it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.forms = load_kept_forms(store)
        self.seen: dict[int, SheetRecord] = {}
        self.look()

    def look(self) -> None:
        """Remember each sheet as it is when it is first seen; it must stay so."""
        for record in self.store.sheets(with_gone=True):
            self.seen.setdefault(record.sheet, plain(record))

    def standing(self) -> list[int]:
        return [record.sheet for record in self.store.sheets()]

    def statuses(self) -> dict[str, int]:
        tally = tally_count(self.store, self.forms)
        names = ("clean", "decided", "in_doubt", "refused", "scanned")
        return {name: getattr(tally, name) for name in names if getattr(tally, name)}

    def votes(self, contest: str = "q1") -> dict[str, int]:
        (sums,) = tally_count(self.store, self.forms).forms
        return next(one.options for one in sums.contests if one.contest == contest)

    def record(self, sheet: int) -> SheetRecord:
        return self.store.sheet(sheet)

    def read(self, sheet: int, reading: PageReading | UnreadablePage, place: int = 0) -> list[int]:
        """Keep a new reading of a page of a sheet."""
        page = self.store.leaves(sheet)[place].id
        look = SecondLook(sheet, page, Told(turn=90), reading)
        return list(keep_look(self.store, self.forms, look, LAN).made)

    def pair(self, one: int, other: int) -> int:
        return pair(self.store, self.forms, (one, other), LAN).made[0]

    def apart(self, sheet: int) -> list[int]:
        return list(take_apart(self.store, self.forms, sheet, LAN).made)

    def type(self, sheet: int) -> int:
        return type_by_hand(self.store, self.forms, sheet, self.forms[0].id, LAN).made[0]

    def aside(self, sheet: int, kind: ReworkKind, copy_of: int | None = None) -> int:
        return set_aside(self.store, self.forms, sheet, kind, LAN, copy_of).made[0]

    def undo(self, rework: int | None = None) -> None:
        number = self.store.reworks()[-1].id if rework is None else rework
        undo(self.store, self.forms, number, LAN)

    def decide(self, sheet: int, contest: str | None, *options: str) -> SheetStatus:
        verdict = Verdict.OPTIONS if options else Verdict.ACCEPT
        made = Decision(sheet, verdict, "Lan", "seen", now(), contest, options)
        return decide(self.store, self.forms, made)

    def check(self) -> None:
        """What must hold whatever was done."""
        tally = tally_count(self.store, self.forms)
        standing = self.standing()
        assert tally.scanned == len(standing)
        assert tally.closes
        assert figures_of(self.store, self.forms).tally() == tally
        # Each page that was scanned is on exactly one standing sheet, as it is or read again.
        on_sheets = Counter(source.position for _sheet, source in self.store.sources())
        assert on_sheets == {position: 1 for position in range(self.store.count_pages(1)[0])}
        for record in self.store.sheets(with_gone=True):
            known = self.seen.setdefault(record.sheet, plain(record))
            assert plain(record) == known
        assert self.store.verify() == []
        assert redecide(self.store, self.forms, READ_WITH).is_nothing


def plain(record: SheetRecord) -> SheetRecord:
    """A sheet without what other sheets say of it."""
    kept = tuple(reason for reason in record.reasons if reason is not Reason.SAME_PAPER)
    return replace(record, reasons=kept)
