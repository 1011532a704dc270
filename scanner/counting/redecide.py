"""Stored measures are decided anew, without any image, once the limits have changed.

What a person decided stays. So does every doubt that has nothing to do with the limits: of the
sheet as a whole (a page is missing, another version of the form), of a target that lies outside
of the scan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby

from scanner import __version__
from scanner.ballot import Reason, SheetStatus, TargetReading
from scanner.counting.adjudication import SheetRecord, resolve
from scanner.counting.batch_grey import Greys, greys_of
from scanner.counting.intake import read_sheet
from scanner.counting.limits import Limits, common_limits, settings_in_force
from scanner.counting.prices import Price, price_of_sheet
from scanner.counting.records import LimitChange, StoredTarget
from scanner.counting.results import now, readers_of
from scanner.counting.reworked import typed, typed_contests
from scanner.counting.sheets import SheetDraft
from scanner.counting.store import Store
from scanner.errors import BadArgumentsError, CountError
from scanner.forms.template import Form
from scanner.messages import gettext as _
from scanner.reading.decide import decide_target
from scanner.settings import Settings


@dataclass(frozen=True, slots=True)
class TargetChange:
    """One target that is read otherwise now."""

    batch: int
    stored: StoredTarget
    becomes: TargetReading

    @property
    def is_seen(self) -> bool:
        """Whether more than a figure or a reason of it changes."""
        return self.stored.reading.state is not self.becomes.state


@dataclass(frozen=True, slots=True)
class Redecision:
    """What other limits make of a count."""

    limits: Limits
    former: Mapping[int, Settings]
    """The settings in force until now, by batch."""
    targets: tuple[TargetChange, ...] = ()
    sheets: tuple[SheetRecord, ...] = ()
    """The sheets that are read otherwise, as they become."""
    statuses: Mapping[tuple[SheetStatus, SheetStatus], int] = field(default_factory=dict)
    """Sheets by where they stood and where they stand."""
    drifted: int = 0
    """Targets among those seen to change that would do so under the limits in force as well:
    another version of the program decided them."""
    before: Price = field(default_factory=lambda: Price(None))
    """What the limits in force until now cost."""
    after: Price = field(default_factory=lambda: Price(None))
    last_rework: int = 0
    """The last time that sheets were put together anew before this was worked out."""

    @property
    def is_nothing(self) -> bool:
        """Whether limits and readings all stay as they are."""
        is_in_force = not self.former or common_limits(self.former) == self.limits
        return is_in_force and not self.targets and not self.sheets


def decide_stored(
    read: TargetReading, settings: Settings, form: Form, greys: Greys
) -> TargetReading:
    """The one place where what was measured at a stored target is decided anew.

    Args:
        read: The target as it is stored; its state and probability play no part.
        settings: The thresholds.
        form: Its form, by which a target is a box or printed words.
        greys: What its batch shows together.
    """
    shape = form.shapes.get((read.contest, read.option))
    if shape is None:
        # A page that was taken for another form than its sheet is; nothing on it counts.
        return read
    covered = Reason.OUTSIDE_SCAN not in read.reasons
    alone = decide_target(
        read.contest,
        read.option,
        read.measures,
        covered=covered,
        settings=settings,
        shape=shape,
    )
    return greys.settle(alone, form, settings)


def redecide_sheet(
    record: SheetRecord,
    form: Form,
    stored: Sequence[StoredTarget],
    targets: Sequence[TargetReading],
) -> SheetRecord:
    """A sheet whose targets are read otherwise; the doubts about the sheet as a whole stay.

    Args:
        record: The sheet as it is stored.
        form: Its form.
        stored: All its targets as they are stored, in the order of their pages.
        targets: The same, decided anew.
    """
    if all(was.reading == becomes for was, becomes in zip(stored, targets, strict=True)):
        return record
    # Whether anything at all is marked follows from the targets; all else does not.
    kept = tuple(reason for reason in record.reasons if reason is not Reason.BLANK_SHEET)
    draft = SheetDraft((), record.form, kept, record.serial)
    again = read_sheet(draft, form, (), targets, (record.sheet, record.batch))
    # What people type is not read, whatever the machine sees there.
    return typed(again, typed_contests(record))


def sheets_with_targets(
    store: Store, *, with_gone: bool = False
) -> Iterator[tuple[SheetRecord, list[StoredTarget]]]:
    """Every sheet with the targets of all its pages, in scan order, one at a time.

    Args:
        store: The count.
        with_gone: Also the sheets that count no more.
    """
    stored = store.stored_targets(with_gone=with_gone)
    groups = groupby(stored, key=lambda target: target.sheet)
    waiting = next(groups, None)
    for record in store.sheets(with_gone=with_gone):
        found: list[StoredTarget] = []
        if waiting is not None and waiting[0] == record.sheet:
            found = list(waiting[1])
            waiting = next(groups, None)
        yield record, found


def redecide(store: Store, forms: Sequence[Form], limits: Limits) -> Redecision:
    """What other limits would make of a count; nothing is written.

    Args:
        store: The count.
        forms: The count's forms.
        limits: The limits to decide with.
    """
    by_id = {form.id: form for form in forms}
    former = settings_in_force(store)
    settings = {batch: limits.put_into(each) for batch, each in former.items()}
    greys = {batch: greys_of(store, batch, forms) for batch in former}
    decisions = store.decisions()
    readers = readers_of(store, forms)
    last_rework = store.last_rework()
    gone, elsewhere = store.gone_sheets(), store.pages_from_elsewhere()
    targets: dict[tuple[int, int], TargetChange] = {}
    sheets = []
    statuses: Counter[tuple[SheetStatus, SheetStatus]] = Counter()
    drifted = 0
    before, after = Price(common_limits(former), is_present=True), Price(limits)
    for record, stored in sheets_with_targets(store, with_gone=True):
        if record.form is None:
            continue
        form, made = by_id[record.form], decisions.get(record.sheet, ())
        batches = [elsewhere.get(one.page, record.batch) for one in stored]
        becomes = [
            decide_stored(one.reading, settings[batch], form, greys[batch])
            for batch, one in zip(batches, stored, strict=True)
        ]
        changes = [
            TargetChange(batch, was, now_is)
            for batch, was, now_is in zip(batches, stored, becomes, strict=True)
            if was.reading != now_is
        ]
        again = redecide_sheet(record, form, stored, becomes)
        by_place = {(one.stored.page, one.stored.place): one for one in changes}
        if record.sheet in gone:
            # It may count again one day, and is to be read then as any other.
            targets.update((key, one) for key, one in by_place.items() if key not in targets)
            sheets += [again] if again != record else []
            continue
        targets |= by_place
        drifted += sum(
            _is_drifted(one, former[one.batch], form, greys[one.batch]) for one in changes
        )
        was_read = [one.reading for one in stored]
        former_price = price_of_sheet(record, form, made, was_read, readers)
        before.add(former_price)
        is_same = again is record
        after.add(former_price if is_same else price_of_sheet(again, form, made, becomes, readers))
        if again != record:
            sheets.append(again)
            stood, stands = (resolve(one, made, form, readers).status for one in (record, again))
            statuses[stood, stands] += 1
    return Redecision(
        limits=limits,
        former=former,
        targets=tuple(targets.values()),
        sheets=tuple(sheets),
        statuses=statuses,
        drifted=drifted,
        before=before,
        after=after,
        last_rework=last_rework,
    )


def _is_drifted(change: TargetChange, former: Settings, form: Form, greys: Greys) -> bool:
    """Whether a target would be seen to change under the limits in force as well."""
    stored = change.stored.reading
    return change.is_seen and decide_stored(stored, former, form, greys).state is not stored.state


def change_limits(store: Store, change: Redecision, *, by: str, why: str) -> None:
    """Write down what other limits make of a count: everything or nothing.

    Nothing is written where nothing would change.

    Args:
        store: The count, :func:`at_rest` since before the change was worked out.
        change: What :func:`redecide` gave.
        by: Who changes the limits.
        why: The reason.

    Raises:
        BadArgumentsError: No name or no reason is given.
        CountError: Somebody has put sheets together anew since it was worked out.
    """
    if not by.strip() or not why.strip():
        raise BadArgumentsError(
            _("A change of the limits needs a name and a reason."),
            remedy=_("Give --by NAME and --why TEXT; --dry-run needs neither."),
        )
    if not change.is_nothing:
        _save(store, change, by, why)


@contextmanager
def at_rest(store: Store) -> Iterator[None]:
    """Keep scans out of a count of which every page has been read.

    Raises:
        CountError: A scan into the count is running, or was broken off.
    """
    with store.exclusive():
        if store.unfinished_batch() is not None:
            raise CountError(
                _("A scan into this count was broken off."),
                remedy=_("Finish it first: 'kiemphieu scan COUNT'."),
                path=store.folder,
            )
        yield


def _save(store: Store, change: Redecision, by: str, why: str) -> None:
    at = now()
    changes = [
        LimitChange(
            batch=batch,
            settings=change.limits.put_into(former).model_dump_json(),
            by=by,
            why=why,
            at=at,
            program=__version__,
        )
        for batch, former in change.former.items()
    ]
    seen = sum(one.is_seen for one in change.targets)
    detail = {"by": by, "to": _plain(change.limits), "targets": seen, "sheets": len(change.sheets)}
    former = {str(batch): _plain(Limits.of(each)) for batch, each in change.former.items()}
    store.save_limits(
        changes,
        ((one.batch, one.stored, one.becomes) for one in change.targets),
        change.sheets,
        detail | {"from": former},
        last_rework=change.last_rework,
    )


def _plain(limits: Limits) -> list[float]:
    return [limits.marked, limits.unmarked]
