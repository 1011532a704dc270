"""A batch from files to sheets: registered, read, put together; taken up where it was left.

Each step is written when it is done, and in one transaction: a file once its copy lies in the
count, pages once they are read, the sheets of a batch all at once. So a scan that was killed
goes on with the same command and ends as if nothing had happened.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from scanner.ballot import (
    ContestReading,
    ContestState,
    Reason,
    SheetStatus,
    TargetReading,
    UnreadablePage,
)
from scanner.counting.adjudication import SheetRecord, open_doubts, resolve
from scanner.counting.batch_grey import greys_of
from scanner.counting.files import count_sides, plan, register_files
from scanner.counting.kept_forms import keep_forms, load_kept_forms
from scanner.counting.limits import settings_for_new_batch, settings_in_force
from scanner.counting.paper import PageSlot
from scanner.counting.records import (
    CACHE_FOLDER,
    Batch,
    BatchRequest,
    BatchState,
    PageResult,
    PageSource,
    StoredTarget,
)
from scanner.counting.reorder import batches_without_order, reopen_batches
from scanner.counting.same_paper import find_same_paper
from scanner.counting.sheets import SheetDraft, assemble
from scanner.counting.store import Store
from scanner.counting.workers import (
    LONGEST_PAGE_S,
    FormReader,
    ReaderFactory,
    get_ready,
    read_pages,
)
from scanner.errors import BadArgumentsError
from scanner.forms.template import Form
from scanner.messages import gettext as _
from scanner.reading.decide import decide_contest, needs_review
from scanner.settings import Settings

WRITE_EVERY_S = 0.5
WRITE_EVERY_PAGES = 50
PAGES_IN_HAND = 400


class Stage(StrEnum):
    """What a scan is busy with."""

    FILES = "files"
    PAGES = "pages"
    SHEETS = "sheets"


Progress = Callable[[Stage, int, int], None]
"""Told the stage, how many are done and how many there are."""

MakeFactory = Callable[[tuple[Form, ...], Settings, Path], ReaderFactory]


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """How a scan is done; nothing here changes what comes out."""

    jobs: int = 1
    progress: Progress | None = None
    note: Callable[[str], None] | None = None
    """Told in words what is worth knowing while it runs."""
    longest_page_s: float = LONGEST_PAGE_S
    """A page that takes longer is refused, where more than one process reads."""
    make_reader: MakeFactory = FormReader

    def tell(self, stage: Stage, done: int, total: int) -> None:
        """Report progress to whoever wants to know."""
        if self.progress is not None:
            self.progress(stage, done, total)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A page or file that is not counted, for the closing summary."""

    file: str
    number: int
    """Page of the file, or 0 for the file as a whole."""
    result: UnreadablePage


@dataclass(frozen=True, slots=True)
class ScanSummary:
    """What one scan did."""

    batches: tuple[int, ...] = ()
    resumed: bool = False
    """A scan that was broken off before was finished first."""
    pages: int = 0
    statuses: Mapping[SheetStatus, int] = field(default_factory=dict)
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    """Sheets by reason, those in doubt and those refused; a sheet can have several."""
    known: tuple[tuple[str, str], ...] = ()
    """Files that were scanned before and are not counted twice, with their first names."""
    refusals: tuple[Refusal, ...] = ()
    reordered: tuple[int, ...] = ()
    """Batches that were in the count before, put together anew in the order told now."""
    needs_order: tuple[int, ...] = ()
    """Batches whose sheets are in doubt until the order of their pages is told."""
    waiting_again: tuple[int, ...] = ()
    """Sheets of earlier scans whose paper seems to have been scanned once more now."""
    sides: tuple[tuple[int, int], ...] = ()
    """Numbers of fronts and backs that came from a feeder that reads one side."""
    settled: int = 0
    """Doubts about targets that what the whole batch shows has settled."""
    seconds: float = 0.0

    @property
    def batch(self) -> int | None:
        """The batch of the files that were named; None where they are in none, or in several."""
        # One that was broken off comes first; the files may be of another.
        own = self.batches[1:] if self.resumed and len(self.batches) > 1 else self.batches
        return own[0] if len(own) == 1 else None

    @property
    def sheets(self) -> int:
        """Sheets that this scan added to the count."""
        return sum(self.statuses.values())


def scan(
    folder: Path, request: BatchRequest, forms_folder: Path, options: ScanOptions | None = None
) -> ScanSummary:
    """Scan files into a count; begin the count if there is none.

    A batch that was broken off is finished first. Files that are in the count already are
    named in the summary and not counted again; if the order of their pages is told, and was not
    before, or otherwise, their sheets are put together anew.

    Args:
        folder: The count's folder.
        request: What to scan, and with which forms (none: those of the count, else all);
            without files, a batch that was broken off is finished.
        forms_folder: Where the forms are registered.
        options: How many processes, and who is told of the progress.

    Raises:
        BadArgumentsError: There is nothing to scan and nothing to finish.
        CountError: The count cannot be used, or a form has changed since it began.
        FormError: A form is faulty, or there is none.
        StorageError: No right to write, or no space left; what is done stays.
    """
    options = options or ScanOptions()
    started = time.monotonic()
    with Store(folder, create=bool(request.paths())) as store, store.exclusive():
        # Forms and scans are copied into the folder before anything is noted about them.
        store.refuse_if_sealed()
        unfinished = store.unfinished_batch()
        if unfinished is None and not request.paths():
            raise BadArgumentsError(
                _("There is nothing to scan."), remedy=_("Name the files to be read.")
            )
        batches = [] if unfinished is None else [unfinished]
        for batch in batches:
            _finish(store, batch, options)
        reopened, is_more = reopen_batches(store, request)
        for batch in reopened:
            _finish(store, batch, options)
        batches += [batch for batch in reopened if batch.id not in {b.id for b in batches}]
        if request.paths() and is_more:
            forms = keep_forms(store, forms_folder, request.forms)
            request = replace(request, forms=tuple(form.id for form in forms))
            if unfinished is None or unfinished.request != request:
                settings = settings_for_new_batch(store)
                batch = store.begin_batch(request, settings.model_dump_json())
                _finish(store, batch, options)
                batches.append(batch)
        summary = _summarize(store, batches)
    return replace(
        summary,
        resumed=unfinished is not None,
        reordered=tuple(batch.id for batch in reopened),
        seconds=time.monotonic() - started,
    )


def _finish(store: Store, batch: Batch, options: ScanOptions) -> None:
    """Bring a batch from wherever it is to its end."""
    forms = load_kept_forms(store, batch.request.forms)
    settings = Settings.model_validate_json(batch.settings)
    factory = options.make_reader(tuple(forms), settings, store.folder / CACHE_FOLDER)
    if batch.state is BatchState.REGISTERING:
        with get_ready(factory, options.jobs, options.longest_page_s) as ready:
            register_files(store, batch, lambda n, total: options.tell(Stage.FILES, n, total))
            store.plan_pages(batch.id, plan(batch.request, store.files(batch.id)))
            _read(store, batch, factory, options, ready)
    else:
        _read(store, batch, factory, options)
    _put_together(store, batch, forms, options)


def _read(
    store: Store,
    batch: Batch,
    factory: ReaderFactory,
    options: ScanOptions,
    ready: list[ProcessPoolExecutor] | None = None,
) -> None:
    total, done = store.count_pages(batch.id)
    if done == total:
        return
    writer = _Writer(store)
    pages = _unread(store, batch.id)
    results = read_pages(pages, factory, options.jobs, options.longest_page_s, options.note, ready)
    try:
        for result in results:
            writer.add(result)
            done += 1
            options.tell(Stage.PAGES, done, total)
    finally:
        writer.flush()


def _unread(store: Store, batch_id: int) -> Iterator[PageSource]:
    """The pages to read, some hundred in memory at a time."""
    last = -1
    while pages := store.pages_to_read(batch_id, after=last, limit=PAGES_IN_HAND):
        yield from pages
        last = pages[-1].position


class _Writer:
    """Gathers results for a moment, so that not every page waits for the disk."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._results: list[PageResult] = []
        self._last = time.monotonic()

    def add(self, result: PageResult) -> None:
        self._results.append(result)
        is_late = time.monotonic() - self._last >= WRITE_EVERY_S
        if is_late or len(self._results) >= WRITE_EVERY_PAGES:
            self.flush()

    def flush(self) -> None:
        if self._results:
            self._store.save_results(self._results)
        self._results = []
        self._last = time.monotonic()


def _put_together(store: Store, batch: Batch, forms: Sequence[Form], options: ScanOptions) -> None:
    assembly = assemble(_slots(store, batch, forms), forms, batch.request.order)
    drafts = assembly.sheets
    pages = store.page_reasons(batch.id)
    by_id = {form.id: form for form in forms}
    own = {page for page, _reasons in pages.values()}
    store.save_same_paper(batch.id, find_same_paper(store.inked_pages(), own))
    greys, settings = greys_of(store, batch.id, forms), settings_in_force(store)[batch.id]

    def sheets() -> Iterator[tuple[SheetRecord, list[int], list[StoredTarget]]]:
        # Asked while nobody else can write: people make sheets, too.
        first = store.first_free_sheet()
        for number, draft in enumerate(drafts, start=first):
            ids = [pages[position][0] for position in draft.pages]
            doubts = [reason for position in draft.pages for reason in pages[position][1]]
            form = by_id[draft.form] if draft.form is not None else None
            stored = store.targets_of_pages(number, ids) if form is not None else []
            targets = [greys.settle(one.reading, form, settings) for one in stored]
            settled = [
                replace(was, reading=becomes)
                for was, becomes in zip(stored, targets, strict=True)
                if becomes is not was.reading
            ]
            yield read_sheet(draft, form, doubts, targets, (number, batch.id)), ids, settled
            options.tell(Stage.SHEETS, number - first + 1, len(drafts))

    store.finish_batch(batch.id, sheets(), needs_order=assembly.needs_order)


def _slots(store: Store, batch: Batch, forms: Sequence[Form]) -> list[PageSlot]:
    """The pages of a batch with the doubts that other pages of the count bring."""
    repeated = store.repeated_images(batch.id)
    serials = store.serials_before(batch.id)
    with_targets = {(f.id, p.number) for f in forms for p in f.pages if f.targets_on(p.number)}
    slots = []
    for slot in store.slots(batch.id):
        flags = set(slot.reasons)
        # A page of text only may be the same image for all voters.
        if slot.position in repeated and (slot.form, slot.page) in with_targets:
            flags.add(Reason.SAME_IMAGE)
        if slot.serial is not None and (slot.form, slot.serial) in serials:
            flags.add(Reason.PAGE_TWICE)
        slots.append(replace(slot, reasons=tuple(sorted(flags))))
    return slots


def read_sheet(
    draft: SheetDraft,
    form: Form | None,
    page_reasons: Iterable[Reason],
    targets: Sequence[TargetReading],
    place: tuple[int, int],
) -> SheetRecord:
    """The reading of a sheet from its pages.

    Args:
        draft: Which pages it has.
        form: Its form; None for a refused page.
        page_reasons: The doubts about its pages as wholes.
        targets: The targets of all its pages.
        place: Number of the sheet and id of its batch.
    """
    number, batch = place
    if form is None:
        return SheetRecord(number, batch, None, draft.reasons)
    contests = tuple(
        decide_contest(contest, [t for t in targets if t.contest == contest.id], form.rule)
        for contest in form.contests
    )
    flags = {*draft.reasons, *page_reasons}
    if Reason.FORM_UNCERTAIN not in draft.reasons:
        # A page that fits two forms is certain once the sheet's other pages tell.
        flags.discard(Reason.FORM_UNCERTAIN)
    if contests and all(_is_blank(reading) for reading in contests):
        flags.add(Reason.BLANK_SHEET)
    reasons = tuple(reason for reason in Reason if reason in flags)
    return SheetRecord(number, batch, form.id, reasons, contests, draft.serial)


def _is_blank(reading: ContestReading) -> bool:
    """Whether the voter left nothing there: all names struck out are no answer, but not nothing."""
    if Reason.ALL_STRUCK in reading.reasons:
        return False
    return reading.state is ContestState.BLANK or Reason.NOTHING_STRUCK in reading.reasons


def _summarize(store: Store, done: Sequence[Batch]) -> ScanSummary:
    statuses: Counter[SheetStatus] = Counter()
    reasons: Counter[Reason] = Counter()
    forms = {form.id: form for form in load_kept_forms(store)}
    batches = [batch.id for batch in done]
    papers = store.same_papers()
    own: set[int] = set()
    twins: set[int] = set()
    for batch in batches:
        for record in store.sheets(batch_id=batch):
            own.add(record.sheet)
            twins.update(papers.get(record.sheet, ()))
            form = forms.get(record.form or "")
            statuses[resolve(record, (), form).status] += 1
            reasons.update(_reasons_of(record, form))
    return ScanSummary(
        batches=tuple(batches),
        pages=sum(store.count_pages(batch)[0] for batch in batches),
        statuses=statuses,
        reasons=reasons,
        known=tuple(
            (file.name, file.known_as)
            for batch in batches
            for file in store.files(batch)
            if file.known_as is not None
        ),
        refusals=tuple(
            Refusal(source.name, source.number, result)
            for batch in batches
            for source, result in store.refused_pages(batch)
        ),
        needs_order=tuple(b.id for b in batches_without_order(store) if b.id in batches),
        waiting_again=tuple(sorted(twins - own)),
        sides=tuple(
            count_sides(batch.request, store.files(batch.id))
            for batch in done
            if batch.request.fronts
        ),
        settled=sum(map(store.settled_doubts, batches)),
    )


def _reasons_of(record: SheetRecord, form: Form | None) -> set[Reason]:
    """Why a sheet is refused, or waits for a person."""
    if form is None:
        return set(record.reasons)
    found = {reason for _name, doubts in open_doubts(record, (), form.rule) for reason in doubts}
    return {reason for reason in found if needs_review([reason], form.rule)}
