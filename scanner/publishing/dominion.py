"""The final votes as a table that audit programs read, and where each paper lies.

Two files that go together: ``dominion.csv``, the votes of every paper in the shape that Dominion's
tabulators give them, and ``manifest.csv``, how many papers each batch has. Arlo, which prepares and
works out risk-limiting audits, takes both. It finds a paper by its rank among the rows of its
batch, so every paper of a batch has its row, also one that counts for nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from scanner import __version__
from scanner.counting.adjudication import sheet_label
from scanner.counting.results import judged_sheets
from scanner.counting.store import Store
from scanner.counting.tally import COUNTED, CastVoteRecord, Standing
from scanner.forms.template import Contest, Form
from scanner.publishing.paper_places import PaperPlace, paper_places

TABULATOR = "1"
COLUMNS = (
    "CvrNumber",
    "TabulatorNum",
    "BatchId",
    "RecordId",
    "ImprintedId",
    "CountingGroup",
    "PrecinctPortion",
    "BallotType",
)
MANIFEST_COLUMNS = ("Tabulator", "Batch Name", "Number of Ballots")
NOT_ON_BALLOT = ""


def dominion_rows(store: Store, forms: Sequence[Form]) -> Iterator[Sequence[str | int | float]]:
    """The rows of dominion.csv: four of names, then one for each paper, batch by batch.

    Args:
        store: The count.
        forms: Its forms.
    """
    name = " ".join(store.folder.resolve().name.split())
    contests = [(form, contest) for form in forms for contest in form.contests]
    titles = _titles(contests)
    lead = [""] * len(COLUMNS)
    heads = [
        f"{titles[form.id, contest.id]} (Vote For={contest.max})"
        for form, contest in contests
        for _option in contest.options
    ]
    choices = [label for _form, contest in contests for label in _labels(contest)]
    # As wide as all others, so that its first line tells a reader what parts the cells.
    yield [name, f"kiemphieu {__version__}", *lead[2:], *([""] * len(heads))]
    yield [*lead, *heads]
    yield [*lead, *choices]
    yield [*COLUMNS, *([""] * len(heads))]
    records, serials = {}, {}
    for read, final in judged_sheets(store, forms):
        records[read.sheet] = final
        if read.serial:
            serials[read.sheet] = read.serial
    for number, (sheet, place) in enumerate(paper_places(store).items(), start=1):
        final = records[sheet]
        yield [
            *_lead(number, place, serials.get(sheet, sheet_label(sheet)), final.form or ""),
            *_cells(final, contests),
        ]


def manifest_rows(store: Store, _forms: Sequence[Form]) -> Iterator[Sequence[str | int | float]]:
    """The rows of manifest.csv: one for each batch that has a paper, after a row of names.

    The largest batch stands first: a last row that is the sum of the others would be taken for one
    by Arlo, and refused.

    Args:
        store: The count.
    """
    yield MANIFEST_COLUMNS
    papers = Counter(place.batch for place in paper_places(store).values())
    for batch, number in sorted(papers.items(), key=lambda each: (-each[1], each[0])):
        yield TABULATOR, str(batch), number


def _lead(number: int, place: PaperPlace, imprinted: str, form: str) -> list[str | int]:
    return [number, TABULATOR, str(place.batch), place.place, imprinted, "", "", form]


def _cells(final: CastVoteRecord, contests: Sequence[tuple[Form, Contest]]) -> Iterator[str]:
    """1 where an option counts, 0 where not; nothing where the paper has no settled answer."""
    votes = {vote.contest: vote for vote in final.votes}
    is_valid = final.standing is Standing.VALID
    for form, contest in contests:
        vote = votes.get(contest.id) if form.id == final.form else None
        for option in contest.options:
            if vote is None or final.status not in COUNTED:
                yield NOT_ON_BALLOT
            else:
                yield "1" if option.id in vote.options and is_valid else "0"


def _titles(contests: Sequence[tuple[Form, Contest]]) -> Mapping[tuple[str, str], str]:
    """The contests as a reader sees them; equal ones would be taken for one and are told apart."""
    titles = {(f.id, c.id): " ".join((c.title or c.id).split()) for f, c in contests}
    often = Counter(titles.values())
    return {
        key: title if often[title] == 1 else f"{title} [{'/'.join(key)}]"
        for key, title in titles.items()
    }


def _labels(contest: Contest) -> list[str]:
    """The options of a contest as a reader sees them; equal ones are told apart."""
    labels = [" ".join((option.label or option.id).split()) for option in contest.options]
    often = Counter(labels)
    return [
        label if often[label] == 1 else f"{label} [{option.id}]"
        for label, option in zip(labels, contest.options, strict=True)
    ]
