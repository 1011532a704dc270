"""The count's database: every query.

One SQLite file in the count's folder. Rows are only added; what changes is the state of a
batch, the result of a page (once), and the figures of papers issued and collected. The sheets of
a batch can be put together anew as long as no person has decided on one; its pages stay as read.
Other limits change what its targets are taken for, and what they were is kept beside; a doubt that
the whole batch settles is settled with its sheets, and the measures it came from stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from scanner.ballot import PageReading, Reason, TargetReading, UnreadablePage
from scanner.counting import store_rows as rows
from scanner.counting.adjudication import SheetRecord
from scanner.counting.paper import PageSlot
from scanner.counting.records import (
    IMAGES_FOLDER,
    Batch,
    BatchRequest,
    BatchState,
    Box,
    CountInfo,
    PageResult,
    PageSource,
    PlannedPage,
    ScannedFile,
    StoredTarget,
)
from scanner.counting.store_base import PAPERS, note, now
from scanner.counting.store_check import CheckStore
from scanner.counting.store_closing import ClosingStore
from scanner.counting.store_decisions import DecisionStore, no_such_sheet
from scanner.counting.store_figures import FigureStore
from scanner.counting.store_journal import JournalStore
from scanner.counting.store_limits import LimitStore, write_targets
from scanner.counting.store_pages import flag_same_paper
from scanner.counting.store_people import PeopleStore
from scanner.counting.store_pictures import PictureStore
from scanner.counting.store_queue import QueueStore
from scanner.counting.store_rework import ReworkStore, refuse_if_reworked
from scanner.counting.store_schema import (
    batch,
    check_target,
    contest_reading,
    count,
    event_log,
    file,
    form,
    hold,
    is_standing,
    journal,
    mark,
    page,
    read_again,
    sheet,
    sheet_page,
)
from scanner.counting.store_seal import SealStore
from scanner.counting.store_wall import WallStore
from scanner.counting.store_words import WordsStore
from scanner.errors import CountError
from scanner.messages import gettext as _

BATCH_DONE = "batch done"


class Store(
    LimitStore,
    QueueStore,
    FigureStore,
    PictureStore,
    WallStore,
    CheckStore,
    WordsStore,
    DecisionStore,
    JournalStore,
    PeopleStore,
    ReworkStore,
    SealStore,
    ClosingStore,
):
    """One open count with all that can be asked of it and written to it."""

    # --- the count ------------------------------------------------------------------------------

    def info(self) -> CountInfo:
        """The count as a whole."""
        row = next(self._rows(sa.select(count)))
        created = datetime.fromisoformat(row["created"])
        return CountInfo(row["program"], created, row["issued"], row["collected"])

    def set_papers(
        self, *, issued: int | None = None, collected: int | None = None, by: str = ""
    ) -> None:
        """Note how many papers were handed out and taken back; None leaves a figure alone.

        Args:
            issued: Papers handed out.
            collected: Papers taken back.
            by: Who says so; empty for whoever gave the command.
        """
        given = {"issued": issued, "collected": collected}
        values = {name: figure for name, figure in given.items() if figure is not None}
        if values:
            with self._write() as connection:
                connection.execute(count.update().values(**values))
                note(connection, PAPERS, values | ({"by": by} if by else {}))

    def events(self) -> list[tuple[datetime, str, dict[str, Any]]]:
        """All that happened to the count, oldest first: when, what, details."""
        return [
            (datetime.fromisoformat(row["at"]), row["what"], json.loads(row["detail"]))
            for row in self._rows(sa.select(event_log).order_by(event_log.c.id))
        ]

    def add_form(self, form_id: str, content_hash: str, folder: str, yaml: str) -> None:
        """Remember a form that the count reads with."""
        values = {"id": form_id, "hash": content_hash, "folder": folder, "yaml": yaml}
        with self._write() as connection:
            connection.execute(form.insert().values(**values))
            note(connection, "form", {"id": form_id, "hash": content_hash})

    def forms(self) -> dict[str, tuple[str, str]]:
        """Content hash and folder name of each form, by id."""
        found = self._rows(sa.select(form).order_by(form.c.id))
        return {row["id"]: (row["hash"], row["folder"]) for row in found}

    # --- batches and files ----------------------------------------------------------------------

    def begin_batch(self, request: BatchRequest, settings: str) -> Batch:
        """A new batch that has no files yet."""
        state = BatchState.REGISTERING
        with self._write() as connection:
            number = (connection.scalar(sa.select(sa.func.max(batch.c.id))) or 0) + 1
            connection.execute(
                batch.insert().values(
                    id=number,
                    request=request.to_json(),
                    settings=settings,
                    state=state,
                    started=now(),
                )
            )
            note(connection, "batch", {"id": number, "files": len(request.paths())})
        return Batch(number, request, settings, state)

    def batches(self) -> list[Batch]:
        """All batches, oldest first."""
        return [rows.batch_of(row) for row in self._rows(sa.select(batch).order_by(batch.c.id))]

    def unfinished_batch(self) -> Batch | None:
        """The batch that was broken off, if there is one."""
        return next((b for b in self.batches() if b.state is not BatchState.DONE), None)

    def add_file(self, scanned: ScannedFile) -> None:
        """Register one file of a batch whose bytes are already in the images folder."""
        with self._write() as connection:
            connection.execute(file.insert().values(**rows.file_values(scanned)))

    def files(self, batch_id: int) -> list[ScannedFile]:
        """The files of a batch in scan order."""
        query = sa.select(file).where(file.c.batch == batch_id).order_by(file.c.place)
        return [rows.file_of(row) for row in self._rows(query)]

    def find_file(self, content_hash: str) -> ScannedFile | None:
        """The file with these bytes, if the count has it already."""
        query = sa.select(file).where(file.c.hash == content_hash, file.c.known_as.is_(None))
        return next((rows.file_of(row) for row in self._rows(query)), None)

    def plan_pages(self, batch_id: int, pages: Iterable[PlannedPage]) -> None:
        """Lay down what is to be read, at once and for good: registering is over."""
        values = [rows.planned_values(batch_id, planned) for planned in pages]
        with self._write() as connection:
            if values:
                connection.execute(page.insert(), values)
            _set_state(connection, batch_id, state=BatchState.READING)

    # --- pages ----------------------------------------------------------------------------------

    def pages_to_read(self, batch_id: int, *, after: int, limit: int) -> list[PageSource]:
        """The next pages of a batch, after a position, that have no result yet."""
        query = (
            sa.select(page, file.c.stored, file.c.name)
            .join_from(page, file)
            .where(page.c.batch == batch_id, page.c.is_read == 0, page.c.position > after)
            .order_by(page.c.position)
            .limit(limit)
        )
        return [self._source_of(row) for row in self._rows(query)]

    def refused_pages(self, batch_id: int) -> list[tuple[PageSource, UnreadablePage]]:
        """The pages of a batch that are not counted, with the evidence."""
        query = (
            sa.select(page, file.c.stored, file.c.name)
            .join_from(page, file)
            .where(page.c.batch == batch_id, page.c.refusal.is_not(None))
            .order_by(page.c.position)
        )
        return [(self._source_of(row), rows.refusal_of(row)) for row in self._rows(query)]

    def count_pages(self, batch_id: int) -> tuple[int, int]:
        """How many pages a batch has, and how many of them have a result; each once."""
        query = (
            sa.select(
                sa.func.count().label("total"),
                sa.func.coalesce(sa.func.sum(page.c.is_read), 0).label("done"),
            )
            .select_from(page)
            .where(page.c.batch == batch_id, page.c.id.not_in(sa.select(read_again.c.page)))
        )
        row = next(self._rows(query))
        return row["total"], row["done"]

    def save_results(self, results: Sequence[PageResult]) -> None:
        """Write what was read, all of it or nothing."""
        marks = [mark for r in results for mark in rows.mark_values(r.page, r.result)]
        with self._write() as connection:
            for result in results:
                values = rows.result_values(result.image_hash, result.result)
                connection.execute(page.update().where(page.c.id == result.page).values(**values))
            if marks:
                connection.execute(mark.insert(), marks)

    def slots(self, batch_id: int) -> list[PageSlot]:
        """Every page of a batch as far as its place among the others goes."""
        query = sa.select(page).where(page.c.batch == batch_id).order_by(page.c.position)
        return [rows.slot_of(row) for row in self._rows(query)]

    def repeated_images(self, batch_id: int) -> set[int]:
        """Positions in a batch whose very image lies earlier in the count, read as a form."""
        earlier = page.alias()
        is_there = sa.exists().where(
            earlier.c.image_hash == page.c.image_hash,
            earlier.c.id < page.c.id,
            earlier.c.form.is_not(None),
        )
        query = sa.select(page.c.position).where(
            page.c.batch == batch_id, page.c.image_hash != "", is_there
        )
        return {row["position"] for row in self._rows(query)}

    def serials_before(self, batch_id: int) -> set[tuple[str, str]]:
        """(form, serial) of all sheets of earlier batches."""
        query = sa.select(sheet.c.form, sheet.c.serial).where(
            sheet.c.batch < batch_id, sheet.c.serial.is_not(None)
        )
        return {(row["form"], row["serial"]) for row in self._rows(query)}

    def reading(self, page_id: int) -> PageReading | UnreadablePage:
        """What was read on a page, exactly as it was saved."""
        row = next(self._rows(sa.select(page).where(page.c.id == page_id)))
        return rows.reading_of(row, self.targets([page_id]))

    def targets(self, page_ids: Sequence[int]) -> list[TargetReading]:
        """The targets of some pages, in printed order."""
        query = sa.select(mark).where(mark.c.page.in_(page_ids))
        ordered = query.order_by(mark.c.page, mark.c.place)
        return [rows.target_of(row) for row in self._rows(ordered)]

    def page_reasons(self, batch_id: int) -> dict[int, tuple[int, tuple[Reason, ...]]]:
        """Id and reasons of each page of a batch, by position."""
        query = sa.select(page.c.position, page.c.id, page.c.reasons)
        found = self._rows(query.where(page.c.batch == batch_id))
        return {row["position"]: (row["id"], rows.split(row["reasons"])) for row in found}

    # --- sheets ---------------------------------------------------------------------------------

    def first_free_sheet(self) -> int:
        """The number that the next sheet gets."""
        return (next(self._rows(sa.select(sa.func.max(sheet.c.id).label("last"))))["last"] or 0) + 1

    def finish_batch(
        self,
        batch_id: int,
        sheets: Iterable[tuple[SheetRecord, Sequence[int], Sequence[StoredTarget]]],
        *,
        needs_order: bool = False,
    ) -> None:
        """Write the sheets of a batch with the ids of their pages: all of them or none.

        Args:
            batch_id: The batch.
            sheets: Its sheets, with those of their targets whose doubt the batch has settled, as
                they become.
            needs_order: Noted with it: the order of its pages is not certain.
        """
        with self._write() as connection:
            settled = 0
            for record, pages, targets in sheets:
                connection.execute(
                    sheet.insert().values(
                        id=record.sheet,
                        batch=batch_id,
                        form=record.form,
                        reasons=rows.join(record.reasons),
                        serial=record.serial,
                    )
                )
                _insert(
                    connection,
                    sheet_page,
                    [{"sheet": record.sheet, "place": n, "page": p} for n, p in enumerate(pages)],
                )
                contests = enumerate(record.contests)
                values = [rows.contest_values(record.sheet, n, c) for n, c in contests]
                _insert(connection, contest_reading, values)
                write_targets(connection, targets)
                settled += len(targets)
            _set_state(connection, batch_id, state=BatchState.DONE, finished=now())
            detail = {"id": batch_id, "needs_order": needs_order, "settled": settled}
            note(connection, BATCH_DONE, detail)

    def settled_doubts(self, batch_id: int) -> int:
        """How many doubts about targets of a batch were settled when it was put together."""
        done = (detail for _at, what, detail in self.events() if what == BATCH_DONE)
        # Put together anew, a batch has those settled already that were so before.
        return sum(detail.get("settled", 0) for detail in done if detail["id"] == batch_id)

    def reopen_batches(self, requests: Mapping[int, BatchRequest]) -> None:
        """Take the sheets of finished batches apart, to be put together as is asked now.

        Raises:
            CountError: A person has decided on one of their sheets; all stay as they are.
        """
        own = sa.select(sheet.c.id).where(sheet.c.batch.in_(requests))
        with self._write() as connection:
            decided = connection.scalar(
                sa.union(
                    sa.select(journal.c.sheet).where(journal.c.sheet.in_(own)),
                    sa.select(check_target.c.sheet).where(check_target.c.sheet.in_(own)),
                ).limit(1)
            )
            if decided is not None:
                raise CountError(
                    _("A person has decided on sheet {n} of these files.").format(n=decided),
                    remedy=_("Scan the files into a new count, and name the order there."),
                    path=self.folder,
                )
            refuse_if_reworked(connection, requests, self.folder)
            for table in (contest_reading, sheet_page, hold):
                connection.execute(table.delete().where(table.c.sheet.in_(own)))
            connection.execute(sheet.delete().where(sheet.c.batch.in_(requests)))
            for number, request in requests.items():
                values = {"request": request.to_json(), "state": BatchState.READING}
                _set_state(connection, number, **values)
                note(connection, "batch reopened", {"id": number, "order": request.order})

    def sheets(
        self,
        *,
        batch_id: int | None = None,
        sheet_id: int | None = None,
        with_gone: bool = False,
    ) -> Iterator[SheetRecord]:
        """Sheets in scan order: all that stand, those of a batch, or any one.

        Args:
            batch_id: Only those of this batch.
            sheet_id: Only this sheet, even where it counts no more.
            with_gone: Those that count no more as well.
        """
        query = (
            sa.select(
                sheet,
                contest_reading.c.contest,
                contest_reading.c.state,
                contest_reading.c.marked,
                contest_reading.c.reasons.label("doubts"),
            )
            .join_from(sheet, contest_reading, isouter=True)
            .order_by(sheet.c.id, contest_reading.c.place)
        )
        if batch_id is not None:
            query = query.where(sheet.c.batch == batch_id)
        if sheet_id is not None:
            query = query.where(sheet.c.id == sheet_id)
        elif not with_gone:
            query = query.where(is_standing(sheet.c.id))
        papers = self.same_papers()
        for _number, members in groupby(self._rows(query), key=lambda row: row["id"]):
            yield flag_same_paper(rows.sheet_of(list(members)), papers)

    def sheet(self, sheet_id: int) -> SheetRecord:
        """One sheet.

        Raises:
            CountError: The count has no such sheet.
        """
        for record in self.sheets(sheet_id=sheet_id):
            return record
        raise no_such_sheet(sheet_id, self)

    def sources(self, sheet_id: int | None = None) -> Iterator[tuple[int, PageSource]]:
        """Sheet number and page, for the pages of one sheet or of all, in order."""
        query = (
            sa.select(sheet_page.c.sheet, page, file.c.stored, file.c.name)
            .join_from(sheet_page, page)
            .join(file)
            .order_by(sheet_page.c.sheet, sheet_page.c.place)
        )
        if sheet_id is None:
            query = query.where(is_standing(sheet_page.c.sheet))
        else:
            query = query.where(sheet_page.c.sheet == sheet_id)
        return ((row["sheet"], self._source_of(row)) for row in self._rows(query))

    def boxes(self) -> Iterator[Box]:
        """Every target of every sheet, in order of sheets, pages and print."""
        query = (
            sa.select(
                mark,
                sheet_page.c.sheet,
                sheet.c.form,
                page.c.batch,
                page.c.number,
                page.c.page.label("printed_page"),
                file.c.name,
            )
            .join_from(sheet_page, sheet)
            .join(page, page.c.id == sheet_page.c.page)
            .join(file, file.c.id == page.c.file)
            .join(mark, mark.c.page == page.c.id)
            .where(is_standing(sheet_page.c.sheet), sheet.c.form.is_not(None))
            .order_by(sheet_page.c.sheet, sheet_page.c.place, mark.c.place)
        )
        for row in self._rows(query):
            yield Box(
                batch=row["batch"],
                file=row["name"],
                number=row["number"],
                sheet=row["sheet"],
                form=row["form"],
                page=row["printed_page"],
                target=rows.target_of(row),
            )

    def _source_of(self, row: rows.Row) -> PageSource:
        path = self.folder / IMAGES_FOLDER / row["stored"]
        return PageSource(row["id"], path, row["number"], row["name"], row["position"])


def _insert(connection: sa.Connection, table: sa.Table, values: list[dict[str, Any]]) -> None:
    if values:
        connection.execute(table.insert(), values)


def _set_state(connection: sa.Connection, batch_id: int, **values: Any) -> None:
    connection.execute(batch.update().where(batch.c.id == batch_id).values(**values))
