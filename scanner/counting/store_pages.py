"""What the pages of a count are like: how they were scanned, and which seem to be one paper."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from scanner.ballot import Reason
from scanner.counting import store_rows as rows
from scanner.counting.adjudication import SheetRecord, Verdict
from scanner.counting.same_paper import InkedPage, SamePaper
from scanner.counting.scan_health import ScannedPage
from scanner.counting.store_base import CountDatabase
from scanner.counting.store_schema import (
    decision,
    file,
    is_standing,
    page,
    same_paper,
    sheet,
    sheet_page,
)
from scanner.reading.evidence import Evidence

SamePapers = Mapping[int, Sequence[int]]
"""By sheet the other sheets that seem to be the same paper."""


class PageStore(CountDatabase):
    """What a count knows of its pages as pieces of paper, and of how they were scanned."""

    def inked_pages(self) -> Iterator[InkedPage]:
        """Every page that was read as a form's, in the order in which they came."""
        query = (
            sa.select(page.c.id, page.c.form, page.c.page, page.c.image_hash, page.c.evidence)
            .where(page.c.form.is_not(None))
            .order_by(page.c.id)
        )
        for row in self._rows(query):
            ink = str(json.loads(row["evidence"]).get(Evidence.ADDED_INK, ""))
            yield InkedPage(row["id"], row["form"], row["page"], row["image_hash"], ink)

    def save_same_paper(self, batch_id: int, pairs: Iterable[SamePaper]) -> None:
        """Write which pages of a batch seem to have been scanned before, in place of all known."""
        own = sa.select(page.c.id).where(page.c.batch == batch_id)
        values = [
            {"page": one.page, "other": one.other, "score": one.score, "limit": one.limit}
            for one in pairs
        ]
        with self._write() as connection:
            connection.execute(same_paper.delete().where(same_paper.c.page.in_(own)))
            if values:
                connection.execute(same_paper.insert(), values)

    def same_papers(self) -> SamePapers:
        """Which sheets seem to be one paper, by each of them.

        A sheet that a person has refused or set aside counts for nobody, so it stands in no other's
        way.
        """
        papers = [
            (row["page"], row["other"])
            for row in self._rows(sa.select(same_paper.c.page, same_paper.c.other))
        ]
        if not papers:
            return {}
        sheets = self._sheets_of_same_papers()
        pairs = {
            (one, two) for page, other in papers for one in sheets[page] for two in sheets[other]
        }
        refused = self._refused_by_person()
        found: defaultdict[int, set[int]] = defaultdict(set)
        for first, second in pairs:
            if first != second and not {first, second} & refused:
                found[first].add(second)
                found[second].add(first)
        return {number: sorted(others) for number, others in found.items()}

    def _sheets_of_same_papers(self) -> Mapping[int, list[int]]:
        """The sheets of each page that seems to be the paper of another one."""
        pages = sa.union(sa.select(same_paper.c.page), sa.select(same_paper.c.other))
        query = sa.select(sheet_page.c.sheet, sheet_page.c.page).where(
            sheet_page.c.page.in_(pages), is_standing(sheet_page.c.sheet)
        )
        sheets: defaultdict[int, list[int]] = defaultdict(list)
        for row in self._rows(query):
            sheets[row["page"]].append(row["sheet"])
        return sheets

    def _refused_by_person(self) -> set[int]:
        """Sheets whose latest decision as wholes is that they do not count."""
        undone = sa.select(decision.c.undoes).where(decision.c.undoes.is_not(None))
        query = (
            sa.select(decision.c.sheet, decision.c.verdict)
            .where(decision.c.contest.is_(None), decision.c.id.not_in(undone))
            .where(decision.c.verdict.in_((Verdict.ACCEPT, Verdict.REFUSE)))
            .order_by(decision.c.id)
        )
        latest = {row["sheet"]: row["verdict"] for row in self._rows(query)}
        return {number for number, verdict in latest.items() if verdict == Verdict.REFUSE}

    def scanned_pages(self, batch_id: int) -> list[ScannedPage]:
        """How every page of a batch came out of the scanner, in scan order.

        Of a page that was read again, what was read of it last.
        """
        in_sheets = sa.select(sheet_page.c.page)
        query = (
            sa.select(page, file.c.name, sheet.c.id.label("sheet"), sheet.c.reasons.label("doubts"))
            .join_from(page, file)
            .join(
                sheet_page,
                (sheet_page.c.page == page.c.id) & is_standing(sheet_page.c.sheet),
                isouter=True,
            )
            .join(sheet, sheet.c.id == sheet_page.c.sheet, isouter=True)
            .where(page.c.batch == batch_id, sheet.c.id.is_not(None) | page.c.id.not_in(in_sheets))
            .order_by(page.c.position)
        )
        return [_scanned_page_of(row) for row in self._rows(query)]


def _scanned_page_of(row: rows.Row) -> ScannedPage:
    return ScannedPage(
        position=row["position"],
        sheet=row["sheet"],
        file=row["name"],
        number=row["number"],
        form=row["form"],
        page=row["page"] or 0,
        refusal=Reason(row["refusal"]) if row["refusal"] else None,
        doubts=rows.split(row["doubts"] or ""),
        homography=tuple(json.loads(row["homography"] or "[]")),
        evidence=json.loads(row["evidence"]),
    )


def flag_same_paper(record: SheetRecord, papers: SamePapers) -> SheetRecord:
    """A sheet with the doubt that it was scanned twice if, and only if, there is another."""
    flags = {*record.reasons} - {Reason.SAME_PAPER}
    if record.sheet in papers:
        flags.add(Reason.SAME_PAPER)
    if flags == {*record.reasons}:
        return record
    return replace(record, reasons=tuple(reason for reason in Reason if reason in flags))
