"""Typed words in the count's database: added, never overwritten; the latest holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from scanner.counting import store_rows as rows
from scanner.counting.journal import Action, Draft
from scanner.counting.records import IMAGES_FOLDER, PageSource
from scanner.counting.store_base import CountDatabase, now
from scanner.counting.store_chain import append_row
from scanner.counting.store_schema import (
    comment_ink,
    file,
    is_standing,
    page,
    sheet,
    sheet_page,
    written,
    written_text,
)
from scanner.counting.words import (
    WRITTEN_MM2,
    Kind,
    Measured,
    Words,
    WrittenZone,
    clean_text,
    new_salt,
    text_fingerprint,
)
from scanner.forms.template import Form
from scanner.messages import gettext as _

PageKey = tuple[str, int]
"""Form and printed page."""


class WordsStore(CountDatabase):
    """What a count knows of the words people wrote."""

    def pages_to_measure(
        self, forms: Iterable[Form], limit: int
    ) -> list[tuple[PageSource, PageKey, tuple[float, ...]]]:
        """The next pages with comment zones whose ink was not measured.

        Args:
            forms: The count's forms.
            limit: So many at most.

        Returns:
            Where the image is, form and printed page, and the page's transform as
            ``PageReading.homography``.
        """
        query = (
            sa.select(page, file.c.stored, file.c.name)
            .join_from(page, file)
            .join(sheet_page, sheet_page.c.page == page.c.id)
            .where(
                _has_zones(forms),
                is_standing(sheet_page.c.sheet),
                ~sa.exists().where(comment_ink.c.page == page.c.id),
            )
            .order_by(page.c.id)
            .limit(limit)
        )
        return [
            (
                PageSource(
                    row["id"],
                    self.folder / IMAGES_FOLDER / row["stored"],
                    row["number"],
                    row["name"],
                    row["position"],
                ),
                (row["form"], row["page"]),
                tuple(json.loads(row["homography"])),
            )
            for row in self._rows(query)
        ]

    def save_comment_ink(self, ink: Mapping[tuple[int, str], float]) -> None:
        """Write how much ink was added in comment zones, in mm², by id of the page and comment."""
        values = [
            {"page": number, "comment": comment, "ink_mm2": added}
            for (number, comment), added in ink.items()
        ]
        if not values:
            return
        # Two browsers may measure the same page at the same time.
        adding = sa.insert(comment_ink).prefix_with("OR IGNORE")
        with self._write() as connection:
            connection.execute(adding, values)

    def words_measured(self, forms: Sequence[Form]) -> Measured:
        """How far the comment zones have been measured and typed."""
        of_sheet = sheet_page.c.page == page.c.id
        there = _has_zones(forms) & is_standing(sheet_page.c.sheet)
        pages = sa.select(sa.func.count()).select_from(page).join(sheet_page, of_sheet).where(there)
        done = pages.where(sa.exists().where(comment_ink.c.page == page.c.id))
        inked = (
            sa.select(sa.func.count())
            .select_from(comment_ink)
            .join(sheet_page, sheet_page.c.page == comment_ink.c.page)
            .where(comment_ink.c.ink_mm2 >= WRITTEN_MM2, is_standing(sheet_page.c.sheet))
        )
        typed = (
            sa.select(written.c.sheet, written.c.comment)
            .where(is_standing(written.c.sheet))
            .distinct()
        )
        figures = sa.select(
            pages.scalar_subquery().label("total"),
            done.scalar_subquery().label("done"),
            inked.scalar_subquery().label("written"),
            sa.select(sa.func.count())
            .select_from(typed.subquery())
            .scalar_subquery()
            .label("typed"),
        )
        row = next(self._rows(figures))
        return Measured(row["done"], row["total"], row["written"], row["typed"])

    def written_zones(
        self,
        *,
        after: tuple[int, str] | None = None,
        limit: int,
        empty: bool = False,
        untyped: bool = False,
        sheet_id: int | None = None,
    ) -> list[WrittenZone]:
        """Comment zones in the order of the sheets, then of their ids.

        Args:
            after: Sheet and comment after which they begin.
            limit: So many at most.
            empty: Those without added ink as well.
            untyped: Those only of which nobody has said anything.
            sheet_id: Those of one sheet only.
        """
        key = sa.tuple_(sheet_page.c.sheet, comment_ink.c.comment)
        query = (
            sa.select(
                sheet_page.c.sheet, sheet.c.form, comment_ink.c.page, comment_ink.c.comment,
                comment_ink.c.ink_mm2,
            )
            .join_from(comment_ink, sheet_page, sheet_page.c.page == comment_ink.c.page)
            .join(sheet, sheet.c.id == sheet_page.c.sheet)
            .where(is_standing(sheet.c.id))
            .order_by(sheet_page.c.sheet, comment_ink.c.comment)
            .limit(limit)
        )  # fmt: skip
        if after is not None:
            query = query.where(key > sa.tuple_(sa.literal(after[0]), sa.literal(after[1])))
        if not empty:
            query = query.where(comment_ink.c.ink_mm2 >= WRITTEN_MM2)
        if sheet_id is not None:
            query = query.where(sheet.c.id == sheet_id)
        if untyped:
            is_it = (written.c.sheet == sheet.c.id) & (written.c.comment == comment_ink.c.comment)
            query = query.where(~sa.exists().where(is_it))
        found = list(self._rows(query))
        typed = self.typed_words(row["sheet"] for row in found)
        return [
            WrittenZone(
                sheet=row["sheet"],
                page=row["page"],
                form=row["form"],
                comment=row["comment"],
                ink_mm2=row["ink_mm2"],
                words=typed.get((row["sheet"], row["comment"])),
            )
            for row in found
        ]

    def add_words(self, words: Words, *, private: bool) -> int:
        """Enter what a person typed; what was typed before stays.

        Args:
            words: What was typed; its moment is that at which it is entered.
            private: Whether the record must not hold the text.

        Returns:
            Its number.

        Raises:
            BadArgumentsError: There is nothing in it, or too much.
        """
        text, salt = clean_text(words.text, words.kind), new_salt()
        values = {
            "sheet": words.sheet,
            "comment": words.comment,
            "kind": words.kind,
            "letters": len(text),
            "fingerprint": text_fingerprint(text, salt),
            "who": words.who,
            "at": now(),
        }
        detail = {} if private else {"text": text}
        with self._write() as connection:
            draft = Draft(words.who, Action.WORDS_TYPED, detail, words.sheet)
            number, _entry = append_row(connection, written, values, draft)
            kept = {"written": number, "salt": salt, "text": text}
            connection.execute(written_text.insert().values(**kept))
        return number

    def typed_words(self, sheets: Iterable[int] | None = None) -> dict[tuple[int, str], Words]:
        """What was typed last, by sheet and comment: of some sheets, or of all that stand."""
        query = sa.select(written, written_text.c.text).join_from(written, written_text)
        if sheets is not None:
            query = query.where(written.c.sheet.in_(set(sheets)))
        else:
            query = query.where(is_standing(written.c.sheet))
        found = map(_words_of, self._rows(query.order_by(written.c.id)))
        return {(words.sheet, words.comment): words for words in found}

    def word_versions(self, sheet_id: int, comment: str) -> list[Words]:
        """All that was ever typed of one comment zone, oldest first."""
        query = (
            sa.select(written, written_text.c.text)
            .join_from(written, written_text)
            .where(written.c.sheet == sheet_id, written.c.comment == comment)
            .order_by(written.c.id)
        )
        return [_words_of(row) for row in self._rows(query)]


def altered_words(database: CountDatabase) -> Iterator[str]:
    """Which typed texts are not those of the record's fingerprints, in sentences."""
    query = sa.select(written, written_text.c.text, written_text.c.salt).join_from(
        written, written_text, isouter=True
    )
    for row in database._rows(query.order_by(written.c.id)):
        is_there = row["text"] is not None
        if not is_there or text_fingerprint(row["text"], row["salt"]) != row["fingerprint"]:
            text = _("The words typed of sheet {sheet} ({comment}) were altered.")
            yield text.format(sheet=row["sheet"], comment=row["comment"])


def _has_zones(forms: Iterable[Form]) -> sa.ColumnElement[bool]:
    """Whether a page is one with comment zones."""
    keys = {(form.id, comment.page) for form in forms for comment in form.comments}
    return sa.tuple_(page.c.form, page.c.page).in_(keys)


def _words_of(row: rows.Row) -> Words:
    return Words(
        sheet=row["sheet"],
        comment=row["comment"],
        kind=Kind(row["kind"]),
        text=row["text"],
        who=row["who"],
        at=datetime.fromisoformat(row["at"]),
        id=row["id"],
    )
