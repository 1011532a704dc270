"""Files that leave the count: tally.json, boxes.csv, votes.csv and words.csv.

Each is written under a passing name and then put in its place, so nobody ever finds half a
file. The CSV files are UTF-8 with a byte order mark, which Excel needs to show Vietnamese.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from scanner.ballot import ContestState, TargetMeasures
from scanner.counting.adjudication import sheet_label
from scanner.counting.results import final_records
from scanner.counting.store import Store
from scanner.counting.tally import COUNTED, CastVote, CastVoteRecord
from scanner.forms.template import Form
from scanner.forms.workshop import open_whole
from scanner.publishing.tally_json import build_tally, check_tally

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
VOTE_COLUMNS = ("sheet", "batch", "status", "form", "refusal", "reasons")
BETWEEN_OPTIONS = "|"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Export(StrEnum):
    """What can be taken out of a count."""

    TALLY = "tally"
    BOXES = "boxes"
    VOTES = "votes"
    WORDS = "words"

    @property
    def goes_with_all(self) -> bool:
        """Whether it is written where everything is asked for: private words are not."""
        return self is not Export.WORDS

    @property
    def file_name(self) -> str:
        """The usual name of the file."""
        return "tally.json" if self is Export.TALLY else f"{self}.csv"


def write_export(
    what: Export, store: Store, forms: Sequence[Form], path: Path, at: datetime
) -> None:
    """Write one export.

    Args:
        what: Which.
        store: The count.
        forms: The count's forms.
        path: The file to write; its folder is made.
        at: When it is made, with a time zone.

    Raises:
        StorageError: It cannot be written there.
    """
    with open_whole(path) as file, io.TextIOWrapper(file, "utf-8", newline="") as stream:
        if what is Export.TALLY:
            data = build_tally(store, list(forms), at)
            check_tally(data)
            json.dump(data, stream, ensure_ascii=False, indent=2)
            stream.write("\n")
            return
        stream.write("\N{BYTE ORDER MARK}")
        rows = _ROWS[what](store, forms)
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
            _counts(record, answers.get(target.contest), target.option),
        )


def vote_rows(store: Store, forms: Sequence[Form]) -> Iterator[Sequence[str | int]]:
    """The rows of votes.csv: one for every sheet, after a row of names.

    Contests of several forms are told apart by ``form:contest``.
    """
    contests = [(form.id, contest.id) for form in forms for contest in form.contests]
    names = [f"{form}:{contest}" if len(forms) > 1 else contest for form, contest in contests]
    yield (*VOTE_COLUMNS, *map(guard, names))
    for read, final in zip(store.sheets(), final_records(store, forms), strict=True):
        answers = {(final.form, vote.contest): answer(final, vote) for vote in final.votes}
        yield (
            sheet_label(final.sheet),
            read.batch,
            final.status.value,
            guard(final.form or ""),
            final.refusal,
            " ".join(read.reasons),
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
    """The final answer to a contest as one text; empty on a sheet that is not counted."""
    if record.status not in COUNTED:
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


def _final_votes(
    store: Store, forms: Sequence[Form]
) -> dict[int, tuple[CastVoteRecord, dict[str, CastVote]]]:
    return {
        record.sheet: (record, {vote.contest: vote for vote in record.votes})
        for record in final_records(store, forms)
    }


def _counts(record: CastVoteRecord, vote: CastVote | None, option: str) -> str:
    """1 where the option counts in the end, 0 where not, empty where nothing is counted yet."""
    if record.status not in COUNTED or vote is None:
        return ""
    return "1" if option in vote.options else "0"


_ROWS: dict[Export, Callable[[Store, Sequence[Form]], Iterator[Sequence[str | int | float]]]] = {
    Export.BOXES: box_rows,
    Export.VOTES: vote_rows,
    Export.WORDS: word_rows,
}
