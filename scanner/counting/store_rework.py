"""Sheets that were put together anew, in the count's database: rows that are only ever added."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from scanner.ballot import Reason
from scanner.counting import store_rows as rows
from scanner.counting.adjudication import sheet_label
from scanner.counting.journal import Action, Draft
from scanner.counting.records import IMAGES_FOLDER, PageSource
from scanner.counting.reworked import (
    Leaf,
    LoosePage,
    LooseSheet,
    NewSheet,
    Plan,
    Rework,
    ReworkKind,
)
from scanner.counting.same_paper import InkedPage, SamePaper, find_same_paper
from scanner.counting.store_base import CountDatabase
from scanner.counting.store_chain import append_row
from scanner.counting.store_schema import (
    contest_reading,
    file,
    gone_sheets,
    is_standing,
    mark,
    page,
    read_again,
    rework,
    same_paper,
    sheet,
    sheet_page,
    superseded,
)
from scanner.errors import CountError
from scanner.messages import gettext as _
from scanner.reading.evidence import Evidence

LOOSE = (
    Reason.PAGE_MISSING,
    Reason.PAGE_ORDER,
    Reason.PAGE_TWICE,
    Reason.FORM_UNCERTAIN,
    Reason.OTHER_VERSION,
)
"""Doubts about a sheet as a whole that its pages being put right may settle."""


class ReworkStore(CountDatabase):
    """What a count knows of sheets that were put together anew."""

    def leaves(self, sheet_id: int) -> list[Leaf]:
        """The pages of a sheet, each as it can become part of another one."""
        query = (
            sa.select(page)
            .join_from(sheet_page, page)
            .where(sheet_page.c.sheet == sheet_id)
            .order_by(sheet_page.c.place)
        )
        found = list(self._rows(query))
        targets = self._targets_by_page([row["id"] for row in found])
        return [
            Leaf(
                id=row["id"],
                batch=row["batch"],
                number=row["number"],
                slot=rows.slot_of(row),
                reasons=rows.split(row["reasons"]),
                image_hash=row["image_hash"],
                targets=tuple(map(rows.target_of, targets.get(row["id"], ()))),
            )
            for row in found
        ]

    def is_gone(self, sheet_id: int) -> bool:
        """Whether a sheet counts no more, since others were made of its pages."""
        query = gone_sheets().where(superseded.c.sheet == sheet_id).limit(1)
        return next(self._rows(query), None) is not None

    def see_that_it_stands(self, sheet_id: int) -> None:
        """See that a sheet is one of the count's.

        Raises:
            CountError: It counts no more.
        """
        if self.is_gone(sheet_id):
            raise _counts_no_more(sheet_id, self.folder)

    def gone_sheets(self) -> set[int]:
        """All sheets that count no more."""
        return {row["sheet"] for row in self._rows(gone_sheets())}

    def pages_from_elsewhere(self) -> dict[int, int]:
        """The batch of each page that is on a sheet of another batch."""
        query = (
            sa.select(page.c.id, page.c.batch)
            .join_from(sheet_page, page, page.c.id == sheet_page.c.page)
            .join(sheet, sheet.c.id == sheet_page.c.sheet)
            .where(sheet.c.batch != page.c.batch)
        )
        return {row["id"]: row["batch"] for row in self._rows(query)}

    def standing_serials(self, but: Collection[int]) -> set[tuple[str, str]]:
        """(form, serial) of all standing sheets but some."""
        query = sa.select(sheet.c.form, sheet.c.serial).where(
            sheet.c.serial.is_not(None), is_standing(sheet.c.id), sheet.c.id.not_in(but)
        )
        return {(row["form"], row["serial"]) for row in self._rows(query)}

    def standing_images(self, hashes: Collection[str], but: Collection[int]) -> set[str]:
        """Those of some images that are on a standing sheet which is counted, but for some."""
        query = (
            sa.select(page.c.image_hash)
            .join_from(sheet_page, page, page.c.id == sheet_page.c.page)
            .join(sheet, sheet.c.id == sheet_page.c.sheet)
            .where(page.c.image_hash.in_(hashes), sheet.c.form.is_not(None))
            .where(is_standing(sheet.c.id), sheet.c.id.not_in(but))
        )
        return {row["image_hash"] for row in self._rows(query)}

    def last_rework(self) -> int:
        """The id of the last rework; 0 where there is none."""
        row = next(self._rows(sa.select(sa.func.max(rework.c.id).label("last"))))
        return row["last"] or 0

    def reworks(self, sheet_id: int | None = None) -> list[Rework]:
        """All that was put together anew, oldest first; or what one sheet was in or came of."""
        found = [_rework_of(row) for row in self._rows(sa.select(rework).order_by(rework.c.id))]
        if sheet_id is None:
            return found
        return [one for one in found if sheet_id in one.former or sheet_id in one.made]

    def loose_sheets(self, numbers: Collection[int] | None = None) -> list[LooseSheet]:
        """The standing sheets that were refused, or whose pages may not belong together.

        Args:
            numbers: Only these sheets, whatever is the matter with them; None for all.
        """
        doubts = sa.or_(*(sheet.c.reasons.contains(reason.value) for reason in LOOSE))
        query = (
            sa.select(
                page,
                sheet_page.c.sheet,
                sheet.c.form.label("sheet_form"),
                sheet.c.batch.label("sheet_batch"),
                sheet.c.reasons.label("doubts"),
                file.c.stored,
                file.c.name,
            )
            .join_from(sheet, sheet_page, sheet_page.c.sheet == sheet.c.id)
            .join(page, page.c.id == sheet_page.c.page)
            .join(file, file.c.id == page.c.file)
            .order_by(sheet.c.id, sheet_page.c.place)
        )
        if numbers is None:
            query = query.where(is_standing(sheet.c.id), sheet.c.form.is_(None) | doubts)
        else:
            query = query.where(sheet.c.id.in_(numbers))
        found: dict[int, LooseSheet] = {}
        for row in self._rows(query):
            known = found.get(row["sheet"]) or LooseSheet(
                row["sheet"], row["sheet_batch"], row["sheet_form"], rows.split(row["doubts"]), ()
            )
            found[row["sheet"]] = replace(known, pages=(*known.pages, self._loose_page(row)))
        return list(found.values())

    def save_rework(self, plan: Plan) -> Rework:
        """Write what a plan says, with its entry in the record: all of it or nothing.

        Raises:
            CountError: One of the former sheets is not there, or counts no more.
        """
        with self._write() as connection:
            self._see_that_they_stand(connection, plan.former)
            inked = self._inked_pages(plan)
            first = (connection.scalar(sa.select(sa.func.max(sheet.c.id))) or 0) + 1
            made = tuple(range(first, first + len(plan.sheets)))
            for number, new in zip(made, plan.sheets, strict=True):
                _write_sheet(connection, number, new, inked)
            return _write_rework(
                connection, plan, made, [(s, b) for s in plan.former for b in made]
            )

    def save_undo(self, plan: Plan, undone: Rework) -> Rework:
        """Write that a rework holds no more, with its entry in the record.

        Args:
            plan: The undoing; its former sheets are those that the rework made.
            undone: The rework.

        Raises:
            CountError: One of the sheets that it made counts no more; or it was undone before.
        """
        with self._write() as connection:
            self._see_that_they_stand(connection, plan.former)
            again = undone.former
            pairs = [(sheet_id, again[0]) for sheet_id in plan.former]
            return _write_rework(connection, plan, again, pairs, undoes=undone.id)

    def _see_that_they_stand(self, connection: sa.Connection, numbers: Sequence[int]) -> None:
        query = sa.select(sheet.c.id).where(sheet.c.id.in_(numbers), is_standing(sheet.c.id))
        there = set(connection.scalars(query))
        for number in numbers:
            if number not in there:
                raise _counts_no_more(number, self.folder)

    def _targets_by_page(self, page_ids: Sequence[int]) -> Mapping[int, list[rows.Row]]:
        found: dict[int, list[rows.Row]] = {}
        query = sa.select(mark).where(mark.c.page.in_(page_ids))
        for row in self._rows(query.order_by(mark.c.page, mark.c.place)):
            found.setdefault(row["page"], []).append(row)
        return found

    def _inked_pages(self, plan: Plan) -> list[InkedPage]:
        """The pages with which new readings are compared, lest a paper be counted twice."""
        sides = {
            (leaf.reading.form, leaf.reading.page)
            for new in plan.sheets
            for leaf in new.leaves
            if leaf.reading is not None
        }
        pages = []
        for form, number in sorted(sides):
            query = sa.select(page.c.id, page.c.image_hash, page.c.evidence).where(
                page.c.form == form, page.c.page == number
            )
            for row in self._rows(query.order_by(page.c.id)):
                ink = _ink_of(json.loads(row["evidence"]))
                pages.append(InkedPage(row["id"], form, number, row["image_hash"], ink))
        return pages

    def _loose_page(self, row: rows.Row) -> LoosePage:
        path = self.folder / IMAGES_FOLDER / row["stored"]
        return LoosePage(
            source=PageSource(row["id"], path, row["number"], row["name"], row["position"]),
            batch=row["batch"],
            form=row["form"],
            page=row["page"] or 0,
            refusal=Reason(row["refusal"]) if row["refusal"] else None,
            evidence=json.loads(row["evidence"]),
        )


def refuse_if_reworked(connection: sa.Connection, batches: Iterable[int], folder: Path) -> None:
    """See that no sheet of some batches was put together anew.

    Raises:
        CountError: One was; it names the sheet.
    """
    own = sa.select(sheet.c.id).where(sheet.c.batch.in_(list(batches)))
    reworked = connection.scalar(
        sa.select(superseded.c.sheet)
        .where(superseded.c.sheet.in_(own) | superseded.c.by.in_(own))
        .limit(1)
    )
    if reworked is not None:
        raise CountError(
            _("A person has put sheet {n} of these files together anew.").format(n=reworked),
            remedy=_("Scan the files into a new count, and name the order there."),
            path=folder,
        )


def _counts_no_more(sheet_id: int, folder: Path) -> CountError:
    return CountError(
        _("Sheet {sheet} counts no more: it was put together anew.").format(
            sheet=sheet_label(sheet_id)
        ),
        remedy=_("Load the page again; somebody else may have been quicker."),
        path=folder,
    )


def _write_sheet(
    connection: sa.Connection, number: int, new: NewSheet, inked: Sequence[InkedPage]
) -> None:
    record = replace(new.record, sheet=number)
    values = {
        "id": number,
        "batch": record.batch,
        "form": record.form,
        "reasons": rows.join(record.reasons),
        "serial": record.serial,
    }
    connection.execute(sheet.insert().values(**values))
    for place, leaf in enumerate(new.leaves):
        page_id = leaf.id if leaf.reading is None else _write_reading(connection, leaf, inked)
        values = {"sheet": number, "place": place, "page": page_id}
        connection.execute(sheet_page.insert().values(**values))
    for place, contest in enumerate(record.contests):
        values = rows.contest_values(number, place, contest)
        connection.execute(contest_reading.insert().values(**values))


def _write_reading(connection: sa.Connection, leaf: Leaf, inked: Sequence[InkedPage]) -> int:
    """A page read again as a page of its own, and which pages seem to be the same paper."""
    reading = leaf.reading
    assert reading is not None
    row = connection.execute(sa.select(page).where(page.c.id == leaf.id)).one()._asdict()
    del row["id"]
    row |= {"refusal": None} | rows.result_values(leaf.image_hash, reading)
    added = connection.execute(page.insert().values(**row)).inserted_primary_key
    assert added is not None
    page_id = int(added[0])
    earlier = connection.scalar(sa.select(read_again.c.origin).where(read_again.c.page == leaf.id))
    values = {"page": page_id, "origin": earlier or leaf.id, "told": leaf.told}
    connection.execute(read_again.insert().values(**values))
    marks = list(rows.mark_values(page_id, reading))
    if marks:
        connection.execute(mark.insert(), marks)
    ink = _ink_of(reading.evidence)
    this = InkedPage(page_id, reading.form, reading.page, leaf.image_hash, ink)
    _write_pairs(connection, find_same_paper([*inked, this], {page_id}))
    return page_id


def _write_pairs(connection: sa.Connection, pairs: Sequence[SamePaper]) -> None:
    for pair in pairs:
        values = {"page": pair.page, "other": pair.other, "score": pair.score, "limit": pair.limit}
        connection.execute(same_paper.insert().values(**values))


def _ink_of(evidence: Mapping[str, float | str]) -> str:
    return str(evidence.get(Evidence.ADDED_INK, ""))


def _write_rework(
    connection: sa.Connection,
    plan: Plan,
    made: Sequence[int],
    pairs: Iterable[tuple[int, int]],
    *,
    undoes: int | None = None,
) -> Rework:
    at = datetime.now(UTC)
    values = {
        "kind": plan.kind,
        "former": rows.pack(list(plan.former)),
        "made": rows.pack(list(made)),
        "told": rows.pack(dict(plan.told)),
        "who": plan.by,
        "why": plan.why,
        "at": at.isoformat(),
        "undoes": undoes,
    }
    detail = {
        "before": _numbered(plan.former, plan.before),
        "after": _numbered(made, plan.after),
    }
    draft = Draft(plan.by, Action.REWORKED, detail, plan.former[0])
    rework_id, _entry = append_row(connection, rework, values, draft)
    connection.execute(
        superseded.insert(),
        [{"rework": rework_id, "sheet": former, "by": by} for former, by in pairs],
    )
    return Rework(
        id=rework_id,
        kind=plan.kind,
        former=plan.former,
        made=tuple(made),
        told=plan.told,
        by=plan.by,
        why=plan.why,
        at=at,
        undoes=undoes,
    )


def _numbered(numbers: Sequence[int], said: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"sheet": number, **one} for number, one in zip(numbers, said, strict=True)]


def _rework_of(row: rows.Row) -> Rework:
    return Rework(
        id=row["id"],
        kind=ReworkKind(row["kind"]),
        former=tuple(json.loads(row["former"])),
        made=tuple(json.loads(row["made"])),
        told=json.loads(row["told"]),
        by=row["who"],
        why=row["why"],
        at=datetime.fromisoformat(row["at"]),
        undoes=row["undoes"],
    )
