"""Files that leave the count: figures, sheets, boxes, words, and what other programs read.

Each is written under a passing name and then put in its place, so nobody ever finds half a
file. The CSV files are UTF-8 with a byte order mark, which Excel needs to show Vietnamese.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from scanner.ballot import ContestState, TargetMeasures
from scanner.counting.account import Books, open_books
from scanner.counting.adjudication import sheet_label
from scanner.counting.results import final_records
from scanner.counting.secrecy import OPEN, Secrecy, list_sheets
from scanner.counting.store import Store
from scanner.counting.tally import CastVote, CastVoteRecord, Standing
from scanner.counting.tally_file import TallyFile
from scanner.counting.tally_making import TallyHeading, make_tally
from scanner.errors import BadArgumentsError
from scanner.forms.template import Form
from scanner.forms.workshop import open_whole
from scanner.messages import gettext as _
from scanner.publishing.cvr import write_cvr
from scanner.publishing.decision_lines import decision_lines, reason_lines
from scanner.publishing.dominion import dominion_rows, manifest_rows
from scanner.publishing.err import write_err
from scanner.publishing.figure_tables import Cell, long_rows, wide_rows
from scanner.publishing.spss import write_spss
from scanner.publishing.tally_json import write_tally
from scanner.publishing.workbook import write_workbook

MEASURES = tuple(field.name for field in fields(TargetMeasures))
BOX_COLUMNS = (
    "count",
    "batch",
    "file",
    "page_in_file",
    "sheet",
    "form",
    "page",
    "contest",
    "option",
    "option_label",
    "state",
    "probability",
    *MEASURES,
    "reasons",
    "sheet_status",
    "standing",
    "counted",
)
WORD_COLUMNS = (
    "sheet",
    "batch",
    "form",
    "page",
    "comment",
    "title",
    "private",
    "kind",
    "text",
    "typed_by",
    "typed_at",
)
VOTE_COLUMNS = ("sheet", "batch", "status", "standing", "form", "refusal", "void", "reasons")
BETWEEN_OPTIONS = "|"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Export(StrEnum):
    """What can be taken out of a count."""

    TALLY = "tally"
    CSV_LONG = "csv-long"
    CSV_WIDE = "csv-wide"
    XLSX = "xlsx"
    SPSS = "spss"
    BOXES = "boxes"
    VOTES = "votes"
    WORDS = "words"
    CVR = "cvr"
    ERR = "err"
    DOMINION = "dominion-csv"
    MANIFEST = "manifest"

    @property
    def goes_with_all(self) -> bool:
        """Whether it is written where everything is asked for.

        Private words are not, nor what only programs for audits and elections read.
        """
        return self is not Export.WORDS and self not in STANDARDS

    @property
    def file_name(self) -> str:
        """The usual name of the file."""
        return _FILE_NAMES.get(self, f"{self}.csv")


_FILE_NAMES = {
    Export.TALLY: "tally.json",
    Export.CSV_LONG: "figures-long.csv",
    Export.CSV_WIDE: "figures-wide.csv",
    Export.XLSX: "figures.xlsx",
    Export.SPSS: "votes.sav",
    Export.CVR: "cvr.json",
    Export.ERR: "err.json",
    Export.DOMINION: "dominion.csv",
}
STANDARDS = frozenset({Export.CVR, Export.ERR, Export.DOMINION, Export.MANIFEST})
"""In formats that others have laid down."""
SHOW_ORDER = frozenset({Export.BOXES, Export.WORDS, Export.DOMINION, Export.MANIFEST})
"""Name sheets by their place in the scan, so that they are not written where a vote is secret."""


def write_export(
    what: Export,
    store: Store,
    forms: Sequence[Form],
    path: Path,
    at: datetime,
    heading: TallyHeading | None = None,
) -> None:
    """Write one export.

    Args:
        what: Which.
        store: The count.
        forms: The count's forms.
        path: The file to write; its folder is made.
        at: When it is made, with a time zone.
        heading: Whose figures they are, of which period, and what they are not to tell; the forms
            may ask for more secrecy than it does.

    Raises:
        BadArgumentsError: The vote is secret, and this would show the order of the sheets.
        StorageError: It cannot be written there.
    """
    is_asked = heading is not None and heading.is_secret
    heading = (heading or TallyHeading()).kept_to(forms)
    if heading.is_secret and what in SHOW_ORDER:
        raise BadArgumentsError(
            _("'{what}' shows in which order the sheets lay, and the vote is secret.").format(
                what=what
            ),
            remedy=_("Without --secret it is for those only who may see the sheets.")
            if is_asked and not any(form.secrecy.shuffled for form in forms)
            else _("The form asks for it ('secrecy' in its form.yaml), and no option alters that."),
        )
    secrecy = Secrecy(heading.is_secret, heading.smallest_group)
    if what in _OF_FIGURES:
        tally = make_tally(store, forms, heading, at=at)
        _OF_FIGURES[what](tally, path)
        return
    if what is Export.ERR:
        figures = make_tally(store, forms, heading, at=at)
        write_err(figures, path, at, forms[0].language if forms else "vi")
        return
    if what in {Export.XLSX, Export.SPSS}:
        books = open_books(store, forms)
        tally = make_tally(store, forms, heading, at=at, books=books)
        _write_sheets_and_figures(what, path, store, books, tally, secrecy)
        return
    with open_whole(path) as file, io.TextIOWrapper(file, "utf-8", newline="") as stream:
        if what is Export.CVR:
            write_cvr(store, forms, stream, at, secrecy)
            return
        stream.write("\N{BYTE ORDER MARK}")
        is_votes = what is Export.VOTES
        rows = vote_rows(store, forms, secrecy) if is_votes else _ROWS[what](store, forms)
        csv.writer(stream, lineterminator="\r\n").writerows(rows)


def box_rows(store: Store, forms: Sequence[Form]) -> Iterator[Sequence[str | int | float]]:
    """The rows of boxes.csv: one for every target of every sheet, after a row of names."""
    yield BOX_COLUMNS
    labels = {
        (form.id, contest.id, option.id): option.label
        for form in forms
        for contest, option in form.targets()
    }
    votes = _final_votes(store, forms)
    name = store.folder.resolve().name
    for box in store.boxes():
        target = box.target
        record, answers = votes[box.sheet]
        yield (
            guard(name),
            box.batch,
            guard(Path(box.file).name),
            box.number,
            sheet_label(box.sheet),
            guard(box.form),
            box.page,
            guard(target.contest),
            guard(target.option),
            guard(labels.get((box.form, target.contest, target.option), "")),
            target.state.value,
            round(target.probability, 6),
            *(round(getattr(target.measures, measure), 6) for measure in MEASURES),
            " ".join(target.reasons),
            record.status.value,
            record.standing.value,
            _counts(record, answers.get(target.contest), target.option),
        )


def vote_rows(
    store: Store, forms: Sequence[Form], secrecy: Secrecy = OPEN
) -> Iterator[Sequence[str | int]]:
    """The rows of votes.csv: one for every sheet, after a row of names.

    Contests of several forms are told apart by ``form:contest``. Where sheets are secret, batches
    and doubts are left out, for they say which sheet it is.
    """
    contests = [(form.id, contest.id) for form in forms for contest in form.contests]
    names = [f"{form}:{contest}" if len(forms) > 1 else contest for form, contest in contests]
    yield (*VOTE_COLUMNS, *map(guard, names))
    reasons = {record.sheet: " ".join(record.reasons) for record in store.sheets()}
    for one in list_sheets(open_books(store, forms), secrecy):
        final = one.record
        answers = {(final.form, vote.contest): answer(final, vote) for vote in final.votes}
        yield (
            sheet_label(one.number),
            "" if one.batch is None else one.batch,
            final.status.value,
            final.standing.value,
            guard(final.form or ""),
            final.refusal,
            final.void,
            "" if secrecy.is_secret else reasons[final.sheet],
            *(guard(answers.get(contest, "")) for contest in contests),
        )


def word_rows(store: Store, forms: Sequence[Form]) -> Iterator[Sequence[str | int]]:
    """The rows of words.csv: one for every place of which something was typed, after names.

    Private words are among them; of words that were typed again only the last.
    """
    yield WORD_COLUMNS
    by_id = {form.id: form for form in forms}
    for (number, comment_id), words in sorted(store.typed_words().items()):
        record = store.sheet(number)
        form = by_id.get(record.form or "")
        comment = form.comment(comment_id) if form is not None else None
        yield (
            sheet_label(number),
            record.batch,
            guard(record.form or ""),
            comment.page if comment is not None else "",
            guard(comment_id),
            guard(comment.title if comment is not None else ""),
            int(comment is None or comment.private),
            words.kind.value,
            guard(words.text),
            guard(words.who),
            words.at.isoformat(),
        )


def answer(record: CastVoteRecord, vote: CastVote) -> str:
    """The final answer to a contest as one text; empty on a sheet that is not valid."""
    if record.standing is not Standing.VALID:
        return ""
    if vote.state in {ContestState.VOTED, ContestState.UNDERVOTE}:
        return BETWEEN_OPTIONS.join(vote.options)
    return f"[{vote.state.value}]"


def guard(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    An apostrophe before ``=``, ``+``, ``-``, ``@``, tab and carriage return: what OWASP
    advises under "CSV Injection".
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _write_figures(
    rows_of: Callable[[TallyFile], Iterator[Sequence[Cell]]],
) -> Callable[[TallyFile, Path], None]:
    """What writes one table of figures."""

    def write(tally: TallyFile, path: Path) -> None:
        with open_whole(path) as file, io.TextIOWrapper(file, "utf-8", newline="") as stream:
            stream.write("\N{BYTE ORDER MARK}")
            csv.writer(stream, lineterminator="\r\n").writerows(
                [guard(cell) if isinstance(cell, str) else cell for cell in row]
                for row in rows_of(tally)
            )

    return write


def _write_sheets_and_figures(
    what: Export, path: Path, store: Store, books: Books, tally: TallyFile, secrecy: Secrecy
) -> None:
    """What holds single sheets, or decisions on them, beside the figures."""
    with open_whole(path) as file:
        if what is Export.XLSX:
            decisions = decision_lines(store, books, secrecy)
            write_workbook(file, tally, reason_lines(store, books), decisions)
        else:
            write_spss(file, books, list_sheets(books, secrecy, only_valid=True), tally)


def _final_votes(
    store: Store, forms: Sequence[Form]
) -> dict[int, tuple[CastVoteRecord, dict[str, CastVote]]]:
    return {
        record.sheet: (record, {vote.contest: vote for vote in record.votes})
        for record in final_records(store, forms)
    }


def _counts(record: CastVoteRecord, vote: CastVote | None, option: str) -> str:
    """1 where the option counts in the end, 0 where not, empty on a sheet that is not valid."""
    if record.standing is not Standing.VALID or vote is None:
        return ""
    return "1" if option in vote.options else "0"


_OF_FIGURES: dict[Export, Callable[[TallyFile, Path], None]] = {
    Export.TALLY: write_tally,
    Export.CSV_LONG: _write_figures(long_rows),
    Export.CSV_WIDE: _write_figures(wide_rows),
}

_ROWS: dict[Export, Callable[[Store, Sequence[Form]], Iterator[Sequence[str | int | float]]]] = {
    Export.BOXES: box_rows,
    Export.WORDS: word_rows,
    Export.DOMINION: dominion_rows,
    Export.MANIFEST: manifest_rows,
}
