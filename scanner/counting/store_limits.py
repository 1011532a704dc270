"""Limits changed after reading, in the count's database.

Added, never overwritten: the settings a batch was read with stay in its row, every change of
them has a row of its own, and beside it stands what each target was before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

import sqlalchemy as sa

from scanner.ballot import MarkState, Reason, TargetMeasures, TargetReading
from scanner.counting import store_rows as rows
from scanner.counting.adjudication import SheetRecord
from scanner.counting.records import LimitChange, StoredTarget
from scanner.counting.store_base import CountDatabase, note
from scanner.counting.store_schema import (
    batch,
    contest_reading,
    former_mark,
    is_standing,
    limits,
    mark,
    page,
    read_again,
    rework,
    sheet,
    sheet_page,
    storage_faults,
)
from scanner.errors import CountError
from scanner.messages import gettext as _
from scanner.reading.batch import has_no_stroke

TARGETS_AT_ONCE = 5000
SHEETS_AT_ONCE = 500
LIMITS_CHANGED = "limits changed"


class LimitStore(CountDatabase):
    """What a count knows of its limits, and the targets that they decide."""

    def settings_in_force(self) -> dict[int, str]:
        """The settings, as JSON, that the targets of each batch are decided with, by batch."""
        query = sa.select(batch.c.id, batch.c.settings).order_by(batch.c.id)
        read_with = {row["id"]: row["settings"] for row in self._rows(query)}
        return read_with | {change.batch: change.settings for change in self.limit_changes()}

    def limit_changes(self) -> list[LimitChange]:
        """Every change of the limits, oldest first."""
        return [
            LimitChange(
                batch=row["batch"],
                settings=row["settings"],
                by=row["who"],
                why=row["why"],
                at=datetime.fromisoformat(row["at"]),
                program=row["program"],
            )
            for row in self._rows(sa.select(limits).order_by(limits.c.id))
        ]

    def stored_targets(self, *, with_gone: bool = False) -> Iterator[StoredTarget]:
        """Every target of every sheet, by sheet, in the order in which sheets are read.

        Args:
            with_gone: Also of the sheets that count no more: then one target may come twice.
        """
        query = (
            sa.select(
                sheet_page.c.sheet,
                mark.c.page,
                mark.c.place,
                mark.c.contest,
                mark.c.option,
                mark.c.state,
                mark.c.probability,
                mark.c.reasons,
                *(mark.c[name] for name in rows.MEASURES),
            )
            .join_from(sheet_page, mark, mark.c.page == sheet_page.c.page)
            .order_by(sheet_page.c.sheet, mark.c.page, mark.c.place)
        )
        if not with_gone:
            query = query.where(is_standing(sheet_page.c.sheet))
        with storage_faults(self.folder), self._engine.connect() as connection:
            found = connection.execution_options(yield_per=TARGETS_AT_ONCE).execute(query)
            for number, leaf, place, contest, option, state, probability, reasons, *ink in found:
                measures = TargetMeasures(*ink)
                reading = TargetReading(
                    contest, option, MarkState(state), probability, measures, rows.split(reasons)
                )
                yield StoredTarget(number, leaf, place, reading)

    def targets_of_pages(self, sheet_id: int, page_ids: Sequence[int]) -> list[StoredTarget]:
        """The targets of some pages, in printed order, as those of a sheet yet to be written."""
        query = sa.select(mark).where(mark.c.page.in_(page_ids))
        ordered = query.order_by(mark.c.page, mark.c.place)
        return [
            StoredTarget(sheet_id, row["page"], row["place"], rows.target_of(row))
            for row in self._rows(ordered)
        ]

    def weights_without_stroke(self, batch_id: int) -> dict[tuple[str, str, str], list[float]]:
        """The weights of all targets of a batch without a stroke, by form, contest and option.

        Of its pages as they were when they were scanned: one that a person has read again changes
        nothing for the others.
        """
        again = sa.select(read_again.c.page)
        query = (
            sa.select(page.c.form, mark.c.contest, mark.c.option, mark.c.weight)
            .join_from(page, mark, mark.c.page == page.c.id)
            .where(page.c.batch == batch_id, page.c.id.not_in(again), has_no_stroke(mark.c))
        )
        weights: defaultdict[tuple[str, str, str], list[float]] = defaultdict(list)
        with storage_faults(self.folder), self._engine.connect() as connection:
            found = connection.execution_options(yield_per=TARGETS_AT_ONCE).execute(query)
            for form, contest, option, weight in found:
                weights[form, contest, option].append(weight)
        return dict(weights)

    def former_readings(self) -> list[tuple[LimitChange, StoredTarget]]:
        """What targets were before a change of the limits, oldest change first."""
        changes = self.limit_changes()
        ids = [row["id"] for row in self._rows(sa.select(limits.c.id).order_by(limits.c.id))]
        by_id = dict(zip(ids, changes, strict=True))
        before = (former_mark.c.state, former_mark.c.probability, former_mark.c.reasons)
        query = (
            sa.select(
                *(column for column in mark.c if column.name not in {b.name for b in before}),
                *before,
                former_mark.c.limits,
                sheet_page.c.sheet,
            )
            .join_from(
                former_mark,
                mark,
                (mark.c.page == former_mark.c.page) & (mark.c.place == former_mark.c.place),
            )
            .join(sheet_page, sheet_page.c.page == mark.c.page)
            .where(is_standing(sheet_page.c.sheet))
            .order_by(former_mark.c.limits, former_mark.c.page, former_mark.c.place)
        )
        return [
            (
                by_id[row["limits"]],
                StoredTarget(row["sheet"], row["page"], row["place"], rows.target_of(row)),
            )
            for row in self._rows(query)
        ]

    def save_limits(
        self,
        changes: Sequence[LimitChange],
        targets: Iterable[tuple[int, StoredTarget, TargetReading]],
        sheets: Iterable[SheetRecord],
        detail: Mapping[str, object],
        *,
        last_rework: int = 0,
    ) -> None:
        """Write changed limits and all that follows from them: everything or nothing.

        Args:
            changes: One for each batch.
            targets: Those that are read otherwise now: batch, what is stored, what it becomes.
            sheets: Those that are read otherwise now, as they become.
            detail: What to note about it in the list of what happened.
            last_rework: The last rework that was there when this was worked out.

        Raises:
            CountError: Somebody has put sheets together anew since.
        """
        with self._write() as connection:
            if (connection.scalar(sa.select(sa.func.max(rework.c.id))) or 0) != last_rework:
                raise CountError(
                    _("Somebody has put sheets together anew meanwhile."),
                    remedy=_("Run the same command again."),
                    path=self.folder,
                )
            ids = {change.batch: _add_change(connection, change) for change in changes}
            _replace_targets(connection, ids, targets)
            for several in _batched(sheets, SHEETS_AT_ONCE):
                _replace_sheets(connection, several)
            note(connection, LIMITS_CHANGED, detail)


def _add_change(connection: sa.Connection, change: LimitChange) -> int:
    values = {
        "batch": change.batch,
        "settings": change.settings,
        "who": change.by,
        "why": change.why,
        "at": change.at.isoformat(),
        "program": change.program,
    }
    added = connection.execute(limits.insert().values(**values)).inserted_primary_key
    assert added is not None
    return int(added[0])


def _replace_targets(
    connection: sa.Connection,
    ids: Mapping[int, int],
    targets: Iterable[tuple[int, StoredTarget, TargetReading]],
) -> None:
    former, present = [], []
    for batch_id, stored, becomes in targets:
        key = {"page": stored.page, "place": stored.place}
        former.append({"limits": ids[batch_id], **key, **_values(stored.reading)})
        present.append(replace(stored, reading=becomes))
    if former:
        connection.execute(former_mark.insert(), former)
        write_targets(connection, present)


def write_targets(connection: sa.Connection, targets: Sequence[StoredTarget]) -> None:
    """What some targets are taken for from now on; their measures stay."""
    if not targets:
        return
    is_it = (mark.c.page == sa.bindparam("at_page")) & (mark.c.place == sa.bindparam("at_place"))
    connection.execute(
        mark.update().where(is_it),
        [{"at_page": one.page, "at_place": one.place, **_values(one.reading)} for one in targets],
    )


def _values(reading: TargetReading) -> dict[str, object]:
    return {
        "state": reading.state,
        "probability": reading.probability,
        "reasons": rows.join(reading.reasons),
    }


def _replace_sheets(connection: sa.Connection, records: Sequence[SheetRecord]) -> None:
    """The readings of sheets, but for their pages, their forms and their serials, which stay."""
    reasons, contests = [], []
    for record in records:
        reasons.append({"at_sheet": record.sheet, "reasons": _reasons_of(connection, record)})
        for place, reading in enumerate(record.contests):
            values = rows.contest_values(record.sheet, place, reading)
            key = {f"at_{name}": values.pop(name) for name in ("sheet", "place")}
            contests.append(key | values)
    at_sheet: sa.BindParameter[int] = sa.bindparam("at_sheet")
    connection.execute(sheet.update().where(sheet.c.id == at_sheet), reasons)
    if contests:
        is_it = (contest_reading.c.sheet == at_sheet) & (
            contest_reading.c.place == sa.bindparam("at_place")
        )
        connection.execute(contest_reading.update().where(is_it), contests)


def _reasons_of(connection: sa.Connection, record: SheetRecord) -> str:
    """The doubts about a sheet as a whole, of which only one follows from its targets.

    Others may have been added to the record on its way here, and are no part of the row.
    """
    stored = connection.scalar(sa.select(sheet.c.reasons).where(sheet.c.id == record.sheet))
    flags = set(rows.split(stored or "")) - {Reason.BLANK_SHEET}
    flags |= {Reason.BLANK_SHEET} & set(record.reasons)
    return rows.join(reason for reason in Reason if reason in flags)


def _batched(records: Iterable[SheetRecord], number: int) -> Iterator[list[SheetRecord]]:
    """Some at a time."""
    rest = iter(records)
    while several := list(islice(rest, number)):
        yield several
