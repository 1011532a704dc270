"""Where a form asks for secrecy, no export tells in which order its sheets were scanned."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pypdfium2
import pyreadstat
import pytest

from scanner.counting.adjudication import Verdict, sheet_label
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.results import now
from scanner.counting.store import Store
from scanner.counting.tally_file import TallyUnit
from scanner.counting.tally_making import TallyHeading
from scanner.errors import BadArgumentsError, ExitCode, FormError
from scanner.forms.template import Form, FormSecrecy, read_form, write_form
from scanner.publishing.bundle import write_bundle
from scanner.publishing.documents.gather import facts_of_count
from scanner.publishing.evidence import EvidenceRequest, write_evidence
from scanner.publishing.exports import SHOW_ORDER, Export, write_export
from scanner.publishing.sealed_tally import recount
from scanner.publishing.tally_json import build_tally
from tests.conftest import Run
from tests.document_facts import ward_unit
from tests.figure_counts import make_survey
from tests.stored_counts import Measured, ink, make_count, take_decision

SECRET = FormSecrecy(shuffled=True, smallest_group=3)
EMPTY, CLEAR, WEAK = ink(0.001), ink(0.5), ink(0.11)
ANSWERS = [(None, 0), (None, 1), (None, 2), (0, None), (0, 0), (0, 1), (0, 2), (1, None), (1, 0),
           (1, 1), (1, 2), (2, None), (2, 0), (2, 1), (2, 2)]  # fmt: skip
"""Of each sheet in the order of the scan; no two are alike, so that each can be known again."""


def marks(*chosen: int | None) -> tuple[Measured, ...]:
    return tuple(CLEAR if place == one else EMPTY for one in chosen for place in range(3))


def ask_for_secrecy(form: Form, secrecy: FormSecrecy = SECRET) -> Form:
    folder = form.folder
    write_form(form.model_copy(update={"secrecy": secrecy}), folder)
    return read_form(folder)


@pytest.fixture(scope="module")
def count(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifteen sheets that all differ, the last but one decided by a person."""
    folder = tmp_path_factory.mktemp("secret")
    form = ask_for_secrecy(make_survey(folder / "forms"))
    sheets = [
        [marks(0 if number % 2 else 1, one, two)] for number, (one, two) in enumerate(ANSWERS)
    ]
    sheets[-2] = [(*marks(0), WEAK, EMPTY, CLEAR, *marks(1))]
    make_count(folder / "count", form, sheets)
    take_decision(folder / "count", len(ANSWERS) - 1, Verdict.OPTIONS, "c1", "c")
    return folder / "count"


def export(what: Export, count: Path, folder: Path, **heading: object) -> Path:
    path = folder / what.file_name
    with Store(count) as store:
        forms = load_kept_forms(store)
        write_export(what, store, forms, path, now(), TallyHeading(**heading))  # type: ignore[arg-type]
    return path


def places(answers: list[tuple[str, str]]) -> list[int]:
    """Where in the scan the sheets were, from what is on them."""
    known = {(_cell("abc", one), _cell("xyz", two)): at for at, (one, two) in enumerate(ANSWERS)}
    return [known[one] for one in answers]


def _cell(options: str, chosen: int | None) -> str:
    return "[blank]" if chosen is None else options[chosen]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_what_a_form_asks_for_is_part_of_it_and_others_keep_their_hash(tmp_path: Path) -> None:
    form = make_survey(tmp_path)
    before = form.content_hash
    assert "secrecy" not in (form.folder / "form.yaml").read_text("utf-8")
    secret = ask_for_secrecy(form)
    assert secret.secrecy == SECRET
    assert secret.content_hash != before
    assert ask_for_secrecy(secret, FormSecrecy()).content_hash == before


def test_a_fault_in_it_is_named_by_its_line(tmp_path: Path) -> None:
    form = ask_for_secrecy(make_survey(tmp_path))
    path = form.folder / "form.yaml"
    text = path.read_text("utf-8").replace("shuffled: true", "shufled: true")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormError, match=r"line \d+, secrecy\.shufled: there is no such field"):
        read_form(form.folder)


@pytest.mark.parametrize("asked", [False, True])
def test_an_option_only_makes_it_more_secret(asked: bool) -> None:
    bare = Form.model_construct(secrecy=FormSecrecy())
    form = Form.model_construct(secrecy=SECRET)
    heading = TallyHeading(is_secret=asked, smallest_group=2)
    assert heading.kept_to([bare]) == heading
    kept = heading.kept_to([bare, form])
    assert (kept.is_secret, kept.smallest_group) == (True, 3)
    assert TallyHeading(smallest_group=9).kept_to([form]).smallest_group == 9


@pytest.mark.parametrize("what", sorted(SHOW_ORDER))
def test_what_names_places_in_the_scan_is_refused_and_no_option_is_advised(
    count: Path, tmp_path: Path, what: Export
) -> None:
    with pytest.raises(BadArgumentsError) as caught:
        export(what, count, tmp_path)
    assert "no option alters that" in (caught.value.remedy or "")
    assert not list(tmp_path.iterdir())


def test_votes_lie_in_an_order_by_lot(count: Path, tmp_path: Path) -> None:
    found = [places([(row["c1"], row["c2"]) for row in rows(export(Export.VOTES, count, tmp_path))])
             for _ in range(2)]  # fmt: skip
    everything = list(range(len(ANSWERS)))
    # By chance alone an order of fifteen is a given one once in 10^12 times.
    assert [sorted(one) for one in found] == [everything, everything]
    assert found[0] != found[1]
    assert everything not in [*found, *(one[::-1] for one in found)]
    assert {row["batch"] for row in rows(tmp_path / "votes.csv")} == {""}


def test_cast_vote_records_and_statistics_lie_so_too(count: Path, tmp_path: Path) -> None:
    data = json.loads(export(Export.CVR, count, tmp_path).read_text("utf-8"))
    text = json.dumps(data["CVR"])
    for word in ("BatchId", "BatchSequenceId", "BallotImage", "BallotAuditId", "TimeStamp"):
        assert word not in text
    shown = [_chosen(record) for record in data["CVR"]]
    assert len(shown) == len(ANSWERS)
    again = json.loads(export(Export.CVR, count, tmp_path).read_text("utf-8"))
    assert shown != [_chosen(record) for record in again["CVR"]]
    frame, _known = pyreadstat.read_sav(export(Export.SPSS, count, tmp_path))
    assert "kp_batch" not in frame.columns
    assert list(frame["kp_sheet"]) == list(range(1, len(frame) + 1))


def _chosen(record: dict[str, object]) -> str:
    """What a record says, whatever it is called."""
    return re.sub(r"sheet-\d+", "sheet", json.dumps(record))


def test_everything_is_written_without_number_time_or_picture(
    run: Run, count: Path, tmp_path: Path
) -> None:
    code, _out, _err = run("export", count, "--to", "all", "-o", tmp_path / "out")
    assert code == ExitCode.OK
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {what.file_name for what in Export if what.goes_with_all} - {
        what.file_name for what in SHOW_ORDER
    }
    decided = sheet_label(len(ANSWERS) - 1)
    with zipfile.ZipFile(tmp_path / "out" / "figures.xlsx") as book:
        strings = book.read("xl/sharedStrings.xml").decode()
    assert f"<t>{decided}</t>" not in strings
    assert not re.search(r"<t>20\d\d-\d\d-\d\d \d\d:\d\d</t>", strings)


def test_the_tally_hides_small_groups_and_a_sealed_one_is_counted_anew_alike(count: Path) -> None:
    with Store(count) as store:
        forms = load_kept_forms(store)
        tally = build_tally(store, forms, now(), TallyHeading(TallyUnit("w", "Ward")))
        assert tally["smallest_group"] == 3
        assert recount(store, tally) is True


def test_minutes_name_no_sheet_by_its_number(count: Path) -> None:
    with Store(count) as store:
        facts = facts_of_count(store, load_kept_forms(store), ward_unit(), "vi", now())
    assert [one.sheet for one in facts.decided] == ["(1)"]


def secret_forms(store: Store) -> list[Form]:
    return [
        form.model_copy(update={"secrecy": FormSecrecy(shuffled=True)})
        for form in load_kept_forms(store)
    ]


def test_no_name_time_or_place_of_the_evidence_tells_the_order(
    scanned: Path, tmp_path: Path
) -> None:
    with Store(scanned) as store:
        forms = load_kept_forms(store)
        write_evidence(store, forms, tmp_path / "open", EvidenceRequest(), now())
        write_evidence(store, secret_forms(store), tmp_path / "secret", EvidenceRequest(), now())
    number_of = {
        path.read_bytes(): int(path.name[:4])
        for path in (tmp_path / "open" / "pictures").glob("[0-9]*-1.jpg")
    }
    pictures = [path for path in (tmp_path / "secret" / "pictures").glob("*-1.jpg")]
    assert len(pictures) == len(number_of) > 20
    index = "".join(path.read_text("utf-8") for path in _lists(tmp_path / "secret"))
    orders = {
        "name": sorted(pictures),
        "time": sorted(pictures, key=lambda path: path.stat().st_mtime_ns),
        "list": sorted(pictures, key=lambda path: index.index(path.name[:12])),
        "folder": pictures,
    }
    for name, order in orders.items():
        numbers = [number_of[path.read_bytes()] for path in order]
        rises = sum(one < other for one, other in pairwise(numbers))
        # Of an order by lot half of the steps rise; so few or so many do once in 10^4 times.
        assert len(numbers) * 0.12 < rises < len(numbers) * 0.88, name
    for path in (tmp_path / "secret").rglob("*.html"):
        text = path.read_text("utf-8")
        assert ".pdf" not in text
        assert "<time" not in text
        assert "Entry " not in text


def _lists(folder: Path) -> Iterator[Path]:
    yield from sorted((folder / "papers").iterdir())


def test_the_bundle_lies_in_an_order_by_lot(scanned: Path, tmp_path: Path) -> None:
    with Store(scanned) as store:
        for name, forms in {"open": load_kept_forms(store), "secret": secret_forms(store)}.items():
            write_bundle(store, forms, tmp_path / f"{name}.pdf")
    first, second = (_papers(tmp_path / f"{name}.pdf") for name in ("open", "secret"))
    assert first != second
    assert sorted(first) == sorted(second)


def _papers(path: Path) -> list[bytes]:
    """Each page without the strip with its number."""
    document = pypdfium2.PdfDocument(path)
    pages = [page.render(scale=0.5, grayscale=True).to_numpy().squeeze() for page in document]
    made = [page[: -max(1, page.shape[0] // 30)].tobytes() for page in pages]
    document.close()
    return made
