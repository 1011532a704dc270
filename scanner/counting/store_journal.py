"""The record of a count, read back and proved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from scanner.counting.journal import (
    NOTHING_BEFORE,
    Action,
    Entry,
    Fault,
    canonical,
    find_break,
    plain,
)
from scanner.counting.store_base import PAPERS, CountDatabase
from scanner.counting.store_chain import (
    WITNESSED,
    append,
    append_row,
    entry_of,
    witness,
)
from scanner.counting.store_people import plain_person
from scanner.counting.store_rows import Row
from scanner.counting.store_schema import count, journal, metadata, person
from scanner.counting.store_words import altered_words
from scanner.messages import gettext as _

__all__ = ["JournalStore", "append", "append_row", "witness"]


class JournalStore(CountDatabase):
    """What a count knows of all that was done to it."""

    def entries(
        self, after: int = 0, *, sheet: int | None = None, who: str | None = None
    ) -> Iterator[Entry]:
        """The record, oldest first.

        Args:
            after: Only entries with a higher number.
            sheet: Only those about this sheet.
            who: Only those of this person.
        """
        return map(entry_of, self._rows(_query(after, sheet, who)))

    def latest_entries(
        self, most: int, *, before: int | None, sheet: int | None = None, who: str | None = None
    ) -> list[Entry]:
        """The last entries of the record, newest first.

        Args:
            most: So many at most.
            before: Only entries with a lower number.
            sheet: Only those about this sheet.
            who: Only those of this person.
        """
        query = _query(0, sheet, who).order_by(None).order_by(journal.c.number.desc()).limit(most)
        if before is not None:
            query = query.where(journal.c.number < before)
        return [entry_of(row) for row in self._rows(query)]

    def head(self) -> tuple[int, str]:
        """The number and the hash of the last entry; 0 and zeros where there is none."""
        query = sa.select(journal.c.number, journal.c.hash).order_by(journal.c.number.desc())
        row = next(self._rows(query.limit(1)), None)
        return (row["number"], row["hash"]) if row is not None else (0, NOTHING_BEFORE)

    def has_entry(self, hash_: str) -> bool:
        """Whether an entry of the record has this hash."""
        query = sa.select(journal.c.number).where(journal.c.hash == hash_.strip().lower())
        return next(self._rows(query.limit(1)), None) is not None

    def who_wrote(self) -> list[str]:
        """The names that stand in the record, in order; the program's empty one is left out."""
        query = sa.select(journal.c.who).where(journal.c.who != "").distinct()
        return sorted(row["who"] for row in self._rows(query))

    def verify(self) -> list[str]:
        """What of the record does not hold, in sentences; none where all of it does.

        The chain, from the first entry to the last, and every row that an entry repeats.
        """
        entries: list[Entry] = []
        for row in self._rows(_query(0, None, None)):
            try:
                entries.append(entry_of(row))
            except (ValueError, TypeError, RecursionError):
                return [_("Entry {number} of the record was altered.").format(number=row["number"])]
        broken = find_break(entries)
        if broken is not None:
            return [_sentence(broken.fault).format(number=broken.number)]
        return [
            *self._verify_rows(entries),
            *self._verify_people(entries),
            *self._verify_figures(entries),
            *altered_words(self),
        ]

    def _verify_rows(self, entries: list[Entry]) -> Iterator[str]:
        repeated: dict[tuple[str, int], Entry] = {}
        for entry in entries:
            if "table" in entry.detail:
                repeated[entry.detail["table"], entry.detail["row"]["id"]] = entry
        names = {*(table.name for table in WITNESSED), *(name for name, _row in repeated)}
        for table in (metadata.tables[name] for name in sorted(names & metadata.tables.keys())):
            for row in self._rows(sa.select(table).order_by(table.c.id)):
                of_it = repeated.pop((table.name, row["id"]), None)
                where = {"table": table.name, "row": row["id"]}
                if of_it is None:
                    text = _("Row {row} of the table {table} has no entry in the record.")
                    yield text.format(**where)
                elif not _is_same(row, of_it):
                    text = _(
                        "Row {row} of the table {table} is not what entry {number} of the record"
                        " says."
                    )
                    yield text.format(**where, number=of_it.number)
        for (name, row_id), entry in repeated.items():
            text = _("Row {row} of the table {table} is gone; entry {number} of the record has it.")
            yield text.format(row=row_id, table=name, number=entry.number)

    def _verify_people(self, entries: list[Entry]) -> Iterator[str]:
        known = {}
        for entry in entries:
            if entry.action in {Action.PERSON_ADDED, Action.PERSON_CHANGED}:
                known[entry.detail["person"]["id"]] = entry.detail["person"]
        present = {row["id"]: plain_person(row) for row in self._rows(sa.select(person))}
        for number in sorted(known.keys() | present.keys()):
            if known.get(number) != present.get(number):
                name = (present.get(number) or known[number])["name"]
                yield _("What the count knows of {name} is not what the record says.").format(
                    name=name
                )

    def _verify_figures(self, entries: list[Entry]) -> Iterator[str]:
        known: dict[str, Any] = {"issued": None, "collected": None, "second_reader": "none"}
        for entry in entries:
            if entry.action is Action.POLICY:
                known |= entry.detail
            elif entry.action is Action.EVENT and entry.detail["row"]["what"] == PAPERS:
                known |= json.loads(entry.detail["row"]["detail"])
        (row,) = self._rows(sa.select(count))
        if any(row[name] != known[name] for name in ("issued", "collected", "second_reader")):
            yield _("The papers issued and collected, or who reads, are not what the record says.")


def _is_same(row: Row, entry: Entry) -> bool:
    """Whether a row is what was entered; of columns that came later nothing was."""
    kept = entry.detail["row"]
    present = {name: value for name, value in plain(row).items() if name in kept}
    return canonical(present) == canonical(kept)


def _query(after: int, sheet: int | None, who: str | None) -> sa.Select[Any]:
    query = sa.select(journal).where(journal.c.number > after).order_by(journal.c.number)
    if sheet is not None:
        query = query.where(journal.c.sheet == sheet)
    if who is not None:
        query = query.where(journal.c.who == who)
    return query


def _sentence(fault: Fault) -> str:
    if fault is Fault.NUMBER:
        return _("Before entry {number} of the record, entries are missing.")
    if fault is Fault.PREVIOUS:
        return _("Entry {number} of the record does not follow on the one before it.")
    return _("Entry {number} of the record was altered.")
