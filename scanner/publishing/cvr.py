"""The cast vote records of a count as NIST SP 1500-103, version 1.0, JSON.

Sheet by sheet, so that a count of any size needs little memory. What the official schema does not
see, that each id named is there, is seen to here while the file is written.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Generic, TextIO, TypeVar

from scanner import __version__
from scanner.ballot import SheetStatus
from scanner.counting.account import open_books
from scanner.counting.adjudication import SheetRecord, answers, open_doubts
from scanner.counting.records import IMAGES_FOLDER, WHOLE_FILE, PageSource
from scanner.counting.results import finals_of
from scanner.counting.secrecy import OPEN, ListedSheet, Secrecy, list_sheets
from scanner.counting.store import Store
from scanner.counting.tally import CastVoteRecord
from scanner.errors import BadArgumentsError
from scanner.forms.template import Contest, Form
from scanner.messages import gettext as _
from scanner.publishing.cvr_sheets import ContestIds, Data, SheetFacts, StyleIds, sheet_data
from scanner.publishing.paper_places import paper_places
from scanner.publishing.references import CVR_REFERENCES, References

T = TypeVar("T")

VERSION = "1.0.0"
IDS = {"election": "election", "unit": "unit", "device": "device"}
MARK_METRIC = (
    "1: probability of being marked, 0 to 1; 2: share of the inside covered by added ink, 0 to 1"
)


def write_cvr(
    store: Store,
    forms: Sequence[Form],
    stream: TextIO,
    at: datetime,
    secrecy: Secrecy = OPEN,
) -> None:
    """Write the cast vote records of a count.

    Args:
        store: The count.
        forms: Its forms.
        stream: Where they go.
        at: When, with a time zone.
        secrecy: Whether the sheets are put into an order drawn by lot, and what is hidden.

    Raises:
        BadArgumentsError: No form of the count has a contest.
        TallyMismatchError: An id is named that is not in the report.
    """
    styles = {form.id: StyleIds.of(number, form) for number, form in enumerate(forms, start=1)}
    if not any(style.contests for style in styles.values()):
        raise BadArgumentsError(_("No form of this count asks anything."), path=store.folder)
    head = report_head(store, styles, at)
    references = References(CVR_REFERENCES)
    references.check(head)
    # The head without its last brace, so that the records follow as its last property.
    stream.write(_json(head)[:-1] + ',"CVR":[')
    records = _records(_sheets(store, forms, secrecy), styles, references)
    between = "\n"
    for text in _by_number(records) if secrecy.is_secret else (text for _n, text in records):
        stream.write(between + text)
        between = ",\n"
    stream.write("\n]}\n")


def _records(
    sheets: Iterable[SheetFacts], styles: Mapping[str, StyleIds], references: References
) -> Iterator[tuple[int, str]]:
    """The number of each sheet, and its record as JSON."""
    for facts in sheets:
        data = sheet_data(facts, styles[facts.final.form or ""], IDS)
        references.check(data)
        yield facts.number, _json(data)


def _by_number(records: Iterable[tuple[int, str]]) -> Iterator[str]:
    """Records in the order of their numbers, by way of a passing file: they may be many."""
    with tempfile.TemporaryFile() as passing:
        places = []
        for number, text in records:
            start = passing.tell()
            passing.write(text.encode())
            places.append((number, start, passing.tell() - start))
        for _number, start, length in sorted(places):
            passing.seek(start)
            yield passing.read(length).decode()


def report_head(store: Store, styles: Mapping[str, StyleIds], at: datetime) -> Data:
    """The report without its records: what was voted on, where, and with what."""
    decided = any(answers(made) for made in store.decisions().values())
    name = store.folder.resolve().name
    contests = [one for style in styles.values() for one in style.contests.values()]
    return {
        "@type": "CVR.CastVoteRecordReport",
        "Version": VERSION,
        "GeneratedDate": at.isoformat(timespec="seconds"),
        "ReportType": ["originating-device-export", *(["adjudicated"] if decided else [])],
        "ReportGeneratingDeviceIds": [IDS["device"]],
        "ReportingDevice": [
            {
                "@id": IDS["device"],
                "@type": "CVR.ReportingDevice",
                "Application": f"kiemphieu {__version__}",
                "MarkMetricType": MARK_METRIC,
            }
        ],
        "GpUnit": [
            {
                "@id": IDS["unit"],
                "@type": "CVR.GpUnit",
                "Type": "other",
                "OtherType": "count",
                "Name": name,
                "ReportingDeviceIds": [IDS["device"]],
            }
        ],
        "Election": [
            {
                "@id": IDS["election"],
                "@type": "CVR.Election",
                "ElectionScopeId": IDS["unit"],
                "Name": name,
                "Candidate": [one for ids in contests for one in _candidates(ids)],
                "Contest": [_contest(ids) for ids in contests],
            }
        ],
    }


def _candidates(ids: ContestIds) -> Iterator[Data]:
    """The names of a contest in which names are struck out."""
    if is_of_names(ids.contest):
        for option, name in zip(ids.contest.options, ids.options.values(), strict=True):
            label = option.label or option.id
            yield {"@id": candidate_id(name), "@type": "CVR.Candidate", "Name": label}


def _contest(ids: ContestIds) -> Data:
    contest = ids.contest
    data: Data = {
        "@id": ids.id,
        "@type": "CVR.BallotMeasureContest",
        "Name": contest.title or contest.id,
        "VoteVariation": "plurality" if contest.max == 1 else "n-of-m",
        "Code": [_code("contest", contest.id), _code("votes-allowed", str(contest.max))],
        "ContestSelection": [
            {
                "@id": name,
                "@type": "CVR.BallotMeasureSelection",
                "Selection": option.label or option.id,
                "Code": [_code("option", option.id)],
            }
            for option, name in zip(contest.options, ids.options.values(), strict=True)
        ],
    }
    if is_of_names(contest):
        data |= {
            "@type": "CVR.CandidateContest",
            "VotesAllowed": contest.max,
            "NumberElected": contest.max,
        }
        for selection in data["ContestSelection"]:
            del selection["Selection"]
            selection |= {
                "@type": "CVR.CandidateSelection",
                "CandidateIds": [candidate_id(selection["@id"])],
            }
    return data


def is_of_names(contest: Contest) -> bool:
    """Whether people are elected in a contest: names are struck out; else it asks something."""
    return contest.is_struck


def candidate_id(selection: str) -> str:
    """The id of the person behind an option."""
    return f"{selection}-name"


def _code(kind: str, value: str) -> Data:
    """What the count itself calls a part of the report."""
    return {"@type": "CVR.Code", "Type": "other", "OtherType": kind, "Value": value}


def _sheets(store: Store, forms: Sequence[Form], secrecy: Secrecy) -> Iterator[SheetFacts]:
    """Every sheet of the count that is not refused, in its order, with all that may be told."""
    by_id = {form.id: form for form in forms}
    decisions = store.decisions()
    finals = finals_of(store, forms)
    places = paper_places(store)
    files = _file_hashes(store)
    hiding = _hiding(store, forms, secrecy)
    targets = _BySheet((box.sheet, box.target) for box in store.boxes())
    sources = _BySheet(store.sources())
    for record in store.sheets():
        form = by_id.get(record.form or "")
        made = decisions.get(record.sheet, [])
        final = finals.of(record, made)
        if form is None or final.status is SheetStatus.REFUSED:
            continue
        listed = hiding.get(record.sheet)
        yield SheetFacts(
            number=listed.number if listed is not None else record.sheet,
            record=record if listed is None else _only(record, listed.record),
            final=final,
            made=made,
            targets=targets.of(record.sheet),
            images=[_image(source, files) for source in sources.of(record.sheet)],
            place=None if secrecy.is_secret else places[record.sheet],
            is_doubtful=_is_doubtful(record, final, form, is_decided=bool(made)),
            void=final.void,
        )


def _hiding(store: Store, forms: Sequence[Form], secrecy: Secrecy) -> Mapping[int, ListedSheet]:
    """Each sheet as it may leave the house, by its number; none where nothing is hidden."""
    if not secrecy.is_secret and secrecy.smallest_group <= 1:
        return {}
    listed = list_sheets(open_books(store, forms), secrecy)
    return {one.record.sheet: one for one in listed}


def _only(record: SheetRecord, shown: CastVoteRecord) -> SheetRecord:
    """A sheet as it was read, without the contests that are hidden."""
    contests = {vote.contest for vote in shown.votes}
    kept = tuple(one for one in record.contests if one.contest in contests)
    return replace(record, contests=kept)


def _is_doubtful(
    record: SheetRecord, final: CastVoteRecord, form: Form, *, is_decided: bool
) -> bool:
    """Whether the machine asks for a person, whatever people have said since."""
    if not is_decided:
        return final.status is SheetStatus.IN_DOUBT
    return bool(open_doubts(record, (), form.rule))


class _BySheet(Generic[T]):
    """What belongs to sheets, taken from a stream that is in their order.

    Args:
        rows: Numbers of sheets, and what belongs to each.
    """

    def __init__(self, rows: Iterable[tuple[int, T]]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self._next = next(self._groups, None)

    def of(self, sheet: int) -> list[T]:
        """What belongs to a sheet; the sheets asked for are ever later ones."""
        while self._next is not None and self._next[0] < sheet:
            self._next = next(self._groups, None)
        if self._next is None or self._next[0] != sheet:
            return []
        return [item for _number, item in self._next[1]]


def _file_hashes(store: Store) -> dict[str, str]:
    """The SHA-256 of each scanned file, by the name of the copy that the count keeps."""
    return {file.stored: file.hash for batch in store.batches() for file in store.files(batch.id)}


def _image(source: PageSource, files: Mapping[str, str]) -> Data:
    """The file that shows a page, and its hash; the page of a file of several as a fragment."""
    name = source.path.name
    page = f"#page={source.number}" if source.number != WHOLE_FILE else ""
    return {
        "@type": "CVR.ImageData",
        "Location": f"file:{IMAGES_FOLDER}/{name}{page}",
        "Hash": {"@type": "CVR.Hash", "Type": "sha-256", "Value": files[name]},
    }


def _json(data: Data) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
