"""Evidence: as many answers behind a figure as it says, nothing private, no order if secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import cli
from scanner.ballot import SheetStatus
from scanner.counting.adjudication import Decision, Verdict, open_questions
from scanner.counting.bench import Hand
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.results import decide, now
from scanner.counting.rework import set_aside, type_by_hand
from scanner.counting.reworked import ReworkKind
from scanner.counting.store import Store
from scanner.counting.tally_making import TallyHeading, make_tally
from scanner.errors import BadArgumentsError, ExitCode, TallyMismatchError
from scanner.forms.template import Comment, Form, Zone
from scanner.publishing.cutting import MASK_GRAY, Gray, read_gray
from scanner.publishing.evidence import EvidenceRequest, write_evidence
from scanner.publishing.evidence_figures import CROPS_ON_PAGE, Crop, Figure
from scanner.publishing.evidence_papers import piles_of_count
from scanner.publishing.evidence_pictures import (
    MARGIN_MM,
    PX_PER_MM,
    REFUSED_LONG_SIDE_PX,
    why_withheld,
)
from scanner.publishing.evidence_sheets import gather_sheets
from tests.loose_counts import scan_loose
from tests.reviewed_counts import copy_count

LINK = re.compile(r'href="([^"]+)"')
BY = "Trần Văn Minh"
WHY = "Dấu X rất mờ <nhưng rõ>"


@pytest.fixture(scope="module")
def count(scanned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A count on which a person has decided one doubt and another one's sheet."""
    folder = copy_count(scanned, tmp_path_factory.mktemp("decided") / "count")
    with Store(folder) as store:
        forms = load_kept_forms(store)
        by_id = {form.id: form for form in forms}
        doubtful = [
            record
            for record in store.sheets()
            if record.form and open_questions(record, (), by_id[record.form].rule)
        ]
        for question in open_questions(doubtful[0], (), by_id[doubtful[0].form or ""].rule):
            verdict = Verdict.BLANK if question.contest else Verdict.ACCEPT
            one = Decision(doubtful[0].sheet, verdict, BY, WHY, now(), contest=question.contest)
            decide(store, forms, one)
        refusal = Decision(doubtful[1].sheet, Verdict.REFUSE, BY, "Bị rách", now())
        assert decide(store, forms, refusal) is SheetStatus.REFUSED
    return folder


@pytest.fixture(scope="module")
def evidence(count: Path) -> Path:
    return written(count, "open", EvidenceRequest())


@pytest.fixture(scope="module")
def secret(count: Path) -> Path:
    heading = TallyHeading(is_secret=True, smallest_group=4)
    return written(count, "secret", EvidenceRequest(heading))


def written(count: Path, name: str, request: EvidenceRequest) -> Path:
    with Store(count) as store:
        forms = load_kept_forms(store)
        index = write_evidence(store, forms, count.parent / name, request, now())
    return index.parent


def pages(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.rglob("*.html")):
        yield path, path.read_text(encoding="utf-8")


def test_no_page_has_a_script_or_asks_the_network(evidence: Path, secret: Path) -> None:
    for folder in (evidence, secret):
        for path, text in pages(folder):
            assert "<script" not in text
            assert "style=" not in text
            assert not re.search(r"(src|href)=\"[a-z]+:", text), path
            for link in LINK.findall(text):
                assert (path.parent / link).is_file()


def test_behind_a_figure_are_as_many_answers_as_it_says(evidence: Path, count: Path) -> None:
    with Store(count) as store:
        forms = load_kept_forms(store)
        tally = make_tally(store, forms, TallyHeading(), at=now())
    found = 0
    for place, form in enumerate(tally.forms, start=1):
        for turn, contest in enumerate(form.contests, start=1):
            rows = (*(one.votes for one in contest.options), contest.blank, contest.overvote)
            for number, votes in enumerate(rows, start=1):
                stem = f"f{place}-c{turn}-o{number}-"
                texts = [p.read_text("utf-8") for p in evidence.glob(f"figures/{stem}*.html")]
                assert sum(text.count("<img") for text in texts) == votes
                found += votes
    assert found > 100


def test_a_figure_of_many_answers_has_several_pages() -> None:
    figure = Figure("f1-c1-o1", "Câu 1", "Hài lòng", 0, "0 %", ())
    assert figure.pages == 1
    crop = Crop("0001", "Sheet 0001", (), is_decided=False)
    many = replace(figure, crops=(crop,) * (2 * CROPS_ON_PAGE + 1))
    assert many.pages == 3
    assert many.page(3) == "f1-c1-o1-3.html"


def test_a_sheet_says_who_decided_and_why(evidence: Path) -> None:
    texts = [text for _path, text in pages(evidence / "sheets") if BY in text]
    assert len(texts) == 2
    assert any("Dấu X rất mờ &lt;nhưng rõ&gt;" in text for text in texts)
    assert any("Bị rách" in text and "This sheet is void." in text for text in texts)
    assert all("Entry " in text for text in texts)
    untouched = [text for _path, text in pages(evidence / "sheets") if "Nobody had to" in text]
    assert len(untouched) > 10


def test_what_is_private_is_covered_on_every_page(evidence: Path, count: Path) -> None:
    with Store(count) as store:
        forms = {form.id: form for form in load_kept_forms(store)}
        shown = [(one.sheet, one) for one in store.pictured_pages(range(1, 100)) if one.form]
    checked = 0
    for sheet, one in shown:
        form = forms[one.form or ""]
        path = evidence / "pictures" / f"{sheet:04d}-{one.form_page}.jpg"
        for inside in _insides(form, one.form_page, path):
            assert abs(float(inside.mean()) - MASK_GRAY) < 3
            assert inside.std() < 6
            checked += 1
    assert checked > 30


def _insides(form: Form, page: int, path: Path) -> Iterator[Gray]:
    image = read_gray(path)
    zones: list[Zone | Comment] = [*form.private, *form.comments]
    for zone in zones:
        if zone.page == page:
            left, top = (zone.x + MARGIN_MM) * PX_PER_MM, (zone.y + MARGIN_MM) * PX_PER_MM
            right, bottom = left + zone.w * PX_PER_MM, top + zone.h * PX_PER_MM
            yield image[round(top) : round(bottom), round(left) : round(right)]


def test_a_refused_page_of_a_form_with_private_places_says_why_it_is_not_shown(
    evidence: Path, count: Path
) -> None:
    with Store(count) as store:
        refused = [record.sheet for record in store.sheets() if record.form is None]
    assert refused
    assert not any(list(evidence.rglob(f"{sheet:04d}-*.jpg")) for sheet in refused)
    for sheet in refused:
        text = (evidence / "sheets" / f"{sheet:04d}.html").read_text("utf-8")
        assert "nobody knows where they are" in text
        assert "This sheet is in review" in text
        assert "the program refused it" in text
        assert "<img" not in text


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A count of forms without private places, some sheets put aside, and its evidence."""
    folder = tmp_path_factory.mktemp("loose")
    count = scan_loose(folder)
    hand = Hand(BY, "là giấy của cơ quan khác")
    with Store(count) as store:
        forms = load_kept_forms(store)
        set_aside(store, forms, 5, ReworkKind.FOREIGN, hand)
        set_aside(store, forms, 6, ReworkKind.COPY, Hand(BY, "quét hai lần"), copy_of=1)
        type_by_hand(store, forms, 4, "market", Hand(BY, "đọc được bằng mắt"))
    return count, written(count, "evidence", EvidenceRequest())


def test_every_figure_of_papers_opens_down_to_each_paper(loose: tuple[Path, Path]) -> None:
    count, folder = loose
    index = (folder / "index.html").read_text("utf-8")
    with Store(count) as store:
        tally = make_tally(store, load_kept_forms(store), TallyHeading(), at=now())
    sheets = tally.sheets
    assert (sheets.not_paper, sheets.refused_by_reason["foreign_sheet"]) == (2, 1)
    figures = {"papers": sheets.paper, "valid": sheets.valid, "void": sheets.void,
               "in-review": sheets.in_review, "not-paper": sheets.not_paper}  # fmt: skip
    for name, figure in figures.items():
        assert (f'href="papers/{name}-1.html">{figure}<' in index) == (figure > 0)
        text = (folder / "papers" / f"{name}-1.html").read_text("utf-8")
        assert len(re.findall(r'href="\.\./sheets/', text)) == figure
    assert sheets.in_review > 2
    for path, text in pages(folder):
        for link in LINK.findall(text):
            assert (path.parent / link).is_file()


def test_what_was_put_aside_shows_its_picture_and_who_said_why(loose: tuple[Path, Path]) -> None:
    _count, folder = loose
    texts = [text for _path, text in pages(folder / "sheets")]
    (foreign,) = [text for text in texts if "là giấy của cơ quan khác" in text]
    assert "This is no paper of the count" in foreign
    assert BY in foreign
    (picture,) = re.findall(r'src="\.\./(pictures/[^"]+-r1\.jpg)"', foreign)
    assert read_gray(folder / picture).std() > 5
    assert 1000 < max(read_gray(folder / picture).shape) <= REFUSED_LONG_SIDE_PX
    (copy,) = [text for text in texts if "quét hai lần" in text]
    assert "<img" in copy
    (typed,) = [text for text in texts if "đọc được bằng mắt" in text]
    assert "This sheet is in review" in typed
    assert "as it was scanned" in typed
    (broken,) = [text for text in texts if "no page that can be opened" in text]
    assert "<img" not in broken


def test_a_paper_that_is_missing_behind_a_figure_is_not_passed_over(
    loose: tuple[Path, Path],
) -> None:
    count, _folder = loose
    with Store(count) as store:
        forms = load_kept_forms(store)
        tally = make_tally(store, forms, TallyHeading(), at=now())
        sheets, refused = gather_sheets(store, forms, frozenset(), is_secret=False)
    assert sum(one.number for one in piles_of_count(tally, sheets, refused) if one.id == "papers")
    with pytest.raises(TallyMismatchError, match="papers instead of"):
        piles_of_count(tally, sheets, refused[1:])


def test_a_page_on_no_form_is_withheld_where_anything_may_be_private(count: Path) -> None:
    with Store(count) as store:
        private = load_kept_forms(store)
    bare = [one.model_copy(update={"private": (), "comments": ()}) for one in private]
    open_words = [
        one.model_copy(
            update={"comments": tuple(_opened(zone) for zone in one.comments), "private": ()}
        )
        for one in private
    ]
    assert why_withheld(private, has_hidden=False)
    assert why_withheld(bare, has_hidden=True)
    assert why_withheld([*bare, private[0]], has_hidden=False)
    assert not why_withheld(bare, has_hidden=False)
    assert not why_withheld(open_words, has_hidden=False)


def _opened(zone: Comment) -> Comment:
    return zone.model_copy(update={"private": False})


def test_where_the_vote_is_secret_nothing_tells_the_order(secret: Path, evidence: Path) -> None:
    numbers = {path.stem for path in (evidence / "sheets").iterdir()}
    names = [path.stem for path in (secret / "sheets").iterdir()]
    assert len(names) == len(numbers)
    assert not numbers & {*names}
    for path, text in pages(secret):
        assert ".pdf" not in text, path
        assert "Entry " not in text
        assert "<time" not in text
        assert not any(f"Sheet {number}" in text for number in numbers)


def test_two_secret_folders_have_other_orders(count: Path, secret: Path) -> None:
    again = written(count, "secret2", EvidenceRequest(TallyHeading(is_secret=True)))
    assert {p.name for p in (again / "sheets").iterdir()}.isdisjoint(
        p.name for p in (secret / "sheets").iterdir()
    )


def test_groups_that_are_too_small_are_shown_nowhere(secret: Path, evidence: Path) -> None:
    open_index = (evidence / "index.html").read_text("utf-8")
    hidden_index = (secret / "index.html").read_text("utf-8")
    assert "some groups are too small" in hidden_index
    assert "some groups are too small" not in open_index
    assert "Lĩnh vực giải quyết</th>" not in "".join(text for _p, text in pages(secret / "sheets"))


def test_an_older_folder_is_replaced_and_another_one_is_left_alone(
    count: Path, tmp_path: Path
) -> None:
    with Store(count) as store:
        forms = load_kept_forms(store)
        folder = tmp_path / "evidence"
        write_evidence(store, forms, folder, EvidenceRequest(), now())
        (folder / "old.txt").write_text("old")
        write_evidence(store, forms, folder, EvidenceRequest(), now())
        assert not (folder / "old.txt").exists()
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "letter.txt").write_text("dear")
        with pytest.raises(BadArgumentsError):
            write_evidence(store, forms, tmp_path / "mine", EvidenceRequest(), now())
        assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidence", "mine"]


def test_the_command_writes_it(
    count: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["export", str(count), "--to", "evidence", "-o", str(tmp_path / "out")]
    assert cli.main(arguments) == ExitCode.OK
    assert "index.html" in capsys.readouterr().out
    assert (tmp_path / "out" / "index.html").is_file()
