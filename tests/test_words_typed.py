"""Words people wrote: found by their ink, typed by whoever wants to, private unless told."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytesseract
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from scanner.ballot import PageReading
from scanner.counting.journal import Action
from scanner.counting.kept_forms import load_kept_forms
from scanner.counting.people import Role
from scanner.counting.results import now
from scanner.counting.store import Store
from scanner.counting.store_schema import written_text
from scanner.counting.words import (
    MOST_LETTERS,
    WRITTEN_MM2,
    Kind,
    Words,
    clean_text,
    text_fingerprint,
)
from scanner.counting.writing import Suggestions, measure_more
from scanner.errors import BadArgumentsError
from scanner.forms.damage import damage_page, office_damage
from scanner.forms.pen import MarkKind, MarkStyle, Pen, draw_handwriting
from scanner.forms.picture import load_blank
from scanner.forms.template import Comment, Form, read_form
from scanner.geometry import mm_to_px
from scanner.publishing.exports import WORD_COLUMNS, Export, write_export
from scanner.reading import text as reading_text
from scanner.reading.interpret import Reader
from scanner.reading.text import available_languages, read_lines
from scanner.reading.written import cut_written, measure_written
from tests.review_client import Browser, Office, open_office
from tests.reviewed_counts import SHIPPED, copy_count
from tests.synthetic import as_page, form_dpi

HAND = MarkStyle(MarkKind.CROSS, Pen.BALLPOINT)
SECRET = "Chị Hoa ở số 12 rất khó chịu"
LINES, WRITE_IN = "comment-1", "linh_vuc/o6"


@pytest.fixture(scope="module")
def form() -> Form:
    return read_form(SHIPPED / "tth5_phuong")


def scanned(form: Form, image: np.ndarray, seed: int) -> dict[str, float]:
    """What is measured on a page as an office scanner gives it."""
    rng = np.random.default_rng(seed)
    page = as_page(damage_page(image, office_damage(rng), rng, dpi=form_dpi(form)))
    reading = Reader([form]).read(page)
    assert isinstance(reading, PageReading)
    printed = form.pages[0]
    return measure_written(
        page, reading.homography, load_blank(form, printed), printed, form.comments
    )


def write_on(form: Form, image: np.ndarray, comment: Comment, words: float, seed: int) -> None:
    """Handwriting on the last of the lines, over a share of its width."""
    dpi = form_dpi(form)
    room = comment.box
    scale = mm_to_px(1.0, dpi)
    line = type(room)(room.x + 1, room.bottom - 7.5, room.w * words - 2, 5.5).scaled(scale, scale)
    draw_handwriting(image, line, dpi, HAND, np.random.default_rng(seed))


# --- the ink ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_a_place_that_nobody_wrote_on_has_no_ink_whatever_the_scanner_does(
    form: Form, seed: int
) -> None:
    found = scanned(form, load_blank(form, form.pages[0]).copy(), seed)
    assert found.keys() == {LINES, WRITE_IN}
    assert max(found.values()) < WRITTEN_MM2 / 2


@pytest.mark.parametrize("seed", range(4))
def test_a_word_is_found_where_it_stands_and_nowhere_else(form: Form, seed: int) -> None:
    image = load_blank(form, form.pages[0]).copy()
    comment = form.comment((LINES, WRITE_IN)[seed % 2])
    assert comment is not None
    write_on(form, image, comment, 0.25 if comment.id == LINES else 0.9, seed)
    found = scanned(form, image, seed)
    assert found[comment.id] > 2 * WRITTEN_MM2
    assert sum(found.values()) - found[comment.id] < WRITTEN_MM2 / 2


def test_dust_and_streaks_are_no_words(form: Form) -> None:
    image = load_blank(form, form.pages[0]).copy()
    comment = form.comment(LINES)
    assert comment is not None
    scale = mm_to_px(1.0, form_dpi(form))
    box = comment.box.scaled(scale, scale)
    rng = np.random.default_rng(1)
    for _speck in range(25):
        at = int(rng.uniform(box.x, box.right)), int(rng.uniform(box.y, box.bottom))
        cv2.circle(image, at, int(0.25 * scale), 0, cv2.FILLED)
    cv2.line(image, (int(box.x + 300), 0), (int(box.x + 300), image.shape[0]), 60, 2)
    assert scanned(form, image, 1)[LINES] < WRITTEN_MM2


def test_print_is_taken_away_before_words_are_read(form: Form) -> None:
    image = load_blank(form, form.pages[0]).copy()
    comment, page = form.comment(LINES), form.pages[0]
    assert comment is not None
    reading = Reader([form]).read(as_page(image))
    assert isinstance(reading, PageReading)
    blank = load_blank(form, page)
    assert blank.min() < 50
    arguments = (as_page(image), reading.homography, blank, page, comment)
    empty = cut_written(*arguments, px_per_mm=8.0)
    assert (empty < 128).mean() < 0.001
    write_on(form, image, comment, 0.8, 1)
    arguments = (as_page(image), reading.homography, blank, page, comment)
    assert (cut_written(*arguments, px_per_mm=8.0) < 128).mean() > 0.002


# --- the text -----------------------------------------------------------------------------------


def test_a_text_is_kept_composed_and_without_what_no_paper_has() -> None:
    assert (
        clean_text("  Ta\u0323i sao\r\n\r\nkhông \u202e?\x00 ", Kind.TEXT) == "Tại sao\n\nkhông  ?"
    )
    assert clean_text("", Kind.NOTHING) == ""
    for text, kind in (
        ("", Kind.TEXT),
        (" \n\u200b ", Kind.TEXT),
        ("x", Kind.NOTHING),
        ("x", Kind.ILLEGIBLE),
        ("x" * (MOST_LETTERS + 1), Kind.TEXT),
    ):
        with pytest.raises(BadArgumentsError):
            clean_text(text, kind)


@given(st.text(max_size=60))
def test_any_text_is_kept_or_refused_and_cleaning_it_twice_is_cleaning_it_once(text: str) -> None:
    try:
        kept = clean_text(text, Kind.TEXT)
    except BadArgumentsError:
        return
    assert kept.encode()
    assert clean_text(kept, Kind.TEXT) == kept


def test_the_fingerprint_of_a_private_text_cannot_be_guessed_without_its_salt() -> None:
    fingerprint = text_fingerprint("0905123456", "a1" * 16)
    assert fingerprint == hashlib.sha256(f"{'a1' * 16}0905123456".encode()).hexdigest()
    assert fingerprint != text_fingerprint("0905123456", "a2" * 16)


# --- printed text -------------------------------------------------------------------------------


@pytest.mark.skipif("vie" not in available_languages(), reason="no Tesseract for Vietnamese")
def test_printed_text_of_many_pictures_is_read_by_one_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []
    real = pytesseract.image_to_data

    def count(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        return real(*arguments, **options)

    monkeypatch.setattr(pytesseract, "image_to_data", count)
    pictures = []
    for words in ("Good service", "", "More chairs please"):
        picture = np.full((80, 900), 255, np.uint8)
        cv2.putText(picture, words, (20, 55), cv2.FONT_HERSHEY_COMPLEX, 1.4, 0, 2, cv2.LINE_AA)
        pictures.append(picture)
    assert read_lines(pictures) == ["Good service", "", "More chairs please"]
    assert len(calls) == 1


def test_without_tesseract_nothing_is_suggested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_text, "available_languages", lambda: ())
    assert read_lines([np.full((80, 300), 255, np.uint8)] * 2) == ["", ""]


# --- a count ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured(staffed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A really scanned count, six sheets of which are written on in both places."""
    count = copy_count(staffed, tmp_path_factory.mktemp("words") / "count")
    with Store(count) as store:
        forms = load_kept_forms(store)
        assert store.words_measured(forms).done == 0
        found = measure_more(store, forms, 120)
        assert (found.done, found.written, found.typed) == (found.total, 12, 0)
    return count


@pytest.fixture
def count(measured: Path, tmp_path: Path) -> Path:
    return copy_count(measured, tmp_path / "count")


@pytest.fixture
def office(count: Path) -> Iterator[Office]:
    with open_office(count) as opened:
        yield opened


def typed(sheet: int, comment: str, text: str = SECRET, kind: Kind = Kind.TEXT) -> Words:
    return Words(sheet, comment, kind, text, "Minh", now())


def test_only_places_with_ink_are_asked_for_and_the_empty_ones_can_be(count: Path) -> None:
    with Store(count) as store:
        written = store.written_zones(limit=100)
        assert {zone.comment for zone in written} == {LINES, WRITE_IN}
        assert all(zone.ink_mm2 > 2 * WRITTEN_MM2 for zone in written)
        everything = store.written_zones(limit=1000, empty=True)
        empty = [zone for zone in everything if zone not in written]
        assert len(empty) > len(written)
        assert all(zone.ink_mm2 < WRITTEN_MM2 / 2 for zone in empty)
        first = written[0]
        after = store.written_zones(after=(first.sheet, first.comment), limit=100)
        assert after == written[1:]
        assert [z.sheet for z in written] == sorted(z.sheet for z in written)


def test_pages_are_measured_once_and_a_broken_off_measuring_goes_on(
    staffed: Path, tmp_path: Path
) -> None:
    count = copy_count(staffed, tmp_path / "count")
    with Store(count) as store:
        forms = load_kept_forms(store)
        first = measure_more(store, forms, 0)
        assert 0 < first.done < first.total
        second = measure_more(store, forms, 0)
        assert first.done < second.done
        zones = store.written_zones(limit=1000, empty=True)
        assert len(zones) == len({(zone.sheet, zone.comment) for zone in zones})


def test_words_typed_again_hide_those_before_and_lose_none(count: Path) -> None:
    with Store(count) as store:
        zone = store.written_zones(limit=1)[0]
        name = zone.sheet, zone.comment
        for text in ("một", "hai", "ba"):
            store.add_words(typed(*name, text), private=True)
        store.add_words(typed(*name, "", Kind.ILLEGIBLE), private=True)
        assert [words.text for words in store.word_versions(*name)] == ["một", "hai", "ba", ""]
        assert store.typed_words()[name].kind is Kind.ILLEGIBLE
        assert [z.sheet for z in store.written_zones(limit=1, untyped=True)] != []
        assert name not in {(z.sheet, z.comment)
                            for z in store.written_zones(limit=100, untyped=True)}  # fmt: skip
        assert store.words_measured(load_kept_forms(store)).typed == 1


def test_the_record_holds_no_private_text_and_still_proves_it(count: Path) -> None:
    with Store(count) as store:
        zone = store.written_zones(limit=1)[0]
        store.add_words(typed(zone.sheet, zone.comment), private=True)
        store.add_words(typed(zone.sheet, zone.comment, "Cảm ơn"), private=False)
        entries = [one for one in store.entries() if one.action is Action.WORDS_TYPED]
        assert SECRET not in json.dumps([entry.detail for entry in entries], ensure_ascii=False)
        assert entries[0].detail["row"]["letters"] == len(SECRET)
        assert len(entries[0].detail["row"]["fingerprint"]) == 64
        assert entries[1].detail["text"] == "Cảm ơn"
        assert entries[0].sheet == zone.sheet
        assert store.verify() == []
        with store._write() as connection:
            connection.execute(written_text.update().values(text="Khen ngợi"))
        faults = store.verify()
        assert len(faults) == 2
        assert f"sheet {zone.sheet} ({zone.comment})" in faults[0]


def test_a_text_that_is_gone_is_noticed(count: Path) -> None:
    with Store(count) as store:
        store.add_words(typed(1, LINES), private=True)
        with store._write() as connection:
            connection.execute(sa.delete(written_text))
        assert len(store.verify()) == 1


def test_the_words_leave_the_count_apart_from_the_votes(count: Path, tmp_path: Path) -> None:
    with Store(count) as store:
        forms = load_kept_forms(store)
        zone = store.written_zones(limit=1)[0]
        store.add_words(typed(zone.sheet, zone.comment, "cũ"), private=True)
        store.add_words(typed(zone.sheet, zone.comment, '=1+1; "tốt"\nlắm'), private=True)
        store.add_words(typed(1, LINES, "", Kind.NOTHING), private=True)
        path = tmp_path / Export.WORDS.file_name
        write_export(Export.WORDS, store, forms, path, now())
    assert path.name == "words.csv"
    data = path.read_bytes()
    assert data.startswith("\N{BYTE ORDER MARK}".encode())
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == WORD_COLUMNS
    assert [row["kind"] for row in rows] == ["nothing", "text"]
    last = rows[1]
    assert (last["sheet"], last["comment"]) == (f"{zone.sheet:04d}", zone.comment)
    assert last["text"] == '\'=1+1; "tốt"\nlắm'
    assert (last["form"], last["page"], last["private"]) == ("tth5_phuong", "1", "1")
    assert last["title"] == "Ý kiến góp ý khác (nếu có)"
    assert (last["typed_by"], bool(last["typed_at"])) == ("Minh", True)


def test_private_words_are_not_written_where_everything_is_asked_for() -> None:
    assert Export.VOTES.goes_with_all
    assert not Export.WORDS.goes_with_all


# --- the page -----------------------------------------------------------------------------------


def first_zone(office: Office) -> tuple[int, str, str]:
    zone = office.desk.store.written_zones(limit=1)[0]
    return zone.sheet, zone.comment, f"sheet={zone.sheet}&comment={zone.comment}"


def test_a_reader_types_and_an_observer_sees_neither_picture_nor_text(office: Office) -> None:
    sheet, comment, asked = first_zone(office)
    reader, observer = office.person(Role.READER), office.person(Role.OBSERVER)
    assert reader.get("/words/next").headers["location"] == f"/words/zone?{asked}"
    assert reader.get(f"/words/zone?{asked}").status_code == 200
    assert reader.ask(f"/words/picture?{asked}").headers["content-type"] == "image/jpeg"
    body = {"sheet": sheet, "comment": comment, "kind": "text", "text": SECRET}
    assert reader.post("/words/typed", body).status_code == 200
    for path in ("/words", f"/words/zone?{asked}"):
        assert SECRET in reader.get(path).text
        assert SECRET not in observer.get(path).text
    assert SECRET not in observer.get("/log").text
    assert observer.ask(f"/words/picture?{asked}").status_code == 403
    assert observer.ask(f"/words/suggestion?{asked}").status_code == 403
    assert observer.post("/words/typed", body).status_code == 403
    assert "words/picture" not in observer.get(f"/words/zone?{asked}").text
    assert len(office.desk.store.word_versions(sheet, comment)) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"text": ""}, 400),
        ({"kind": "nothing"}, 400),
        ({"text": "x" * (2 * MOST_LETTERS + 1)}, 422),
        ({"text": "x" * (MOST_LETTERS + 1)}, 400),
        ({"kind": "guess"}, 422),
        ({"sheet": 9999}, 404),
        ({"comment": "nix"}, 404),
        ({"sheet": 2**60}, 422),
        ({"more": 1}, 422),
    ],
)
def test_what_cannot_be_entered_is_refused_and_nothing_is_written(
    common: Browser, shared: Office, change: dict[str, object], status: int
) -> None:
    sheet, comment, _asked = first_zone(shared)
    before = shared.desk.store.head()
    body = {"sheet": sheet, "comment": comment, "kind": "text", "text": "x"} | change
    assert common.post("/words/typed", body).status_code == status
    assert shared.desk.store.head() == before


@pytest.fixture(scope="module")
def shared(measured: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A count that tests only look at."""
    with open_office(copy_count(measured, tmp_path_factory.mktemp("shared") / "count")) as opened:
        yield opened


@pytest.fixture(scope="module")
def common(shared: Office) -> Browser:
    return shared.person()


def test_words_with_a_script_in_them_are_only_shown(office: Office) -> None:
    sheet, comment, asked = first_zone(office)
    person = office.person()
    script = "<script>alert(1)</script>\n</textarea><b>"
    body = {"sheet": sheet, "comment": comment, "kind": "text", "text": script}
    assert person.post("/words/typed", body).status_code == 200
    for path in ("/words", f"/words/zone?{asked}"):
        page = person.get(path).text
        assert "<script>alert" not in page
        assert "</textarea><b>" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_the_last_place_leads_back_to_the_overview(common: Browser, shared: Office) -> None:
    zones = shared.desk.store.written_zones(limit=100)
    last = zones[-1]
    asked = f"sheet={last.sheet}&comment={last.comment}"
    assert common.get(f"/words/next?{asked}").headers["location"] == "/words?end=true"
    empty = common.get(f"/words/next?{asked.replace(str(last.sheet), '1')}&empty=true")
    assert "empty=true" in empty.headers["location"]


@pytest.mark.skipif("vie" not in available_languages(), reason="no Tesseract for Vietnamese")
def test_handwriting_gives_no_suggestion(shared: Office) -> None:
    zones = [(zone.sheet, zone.comment) for zone in shared.desk.store.written_zones(limit=3)]
    suggestions = Suggestions(shared.desk.store, shared.desk.forms)
    assert suggestions.find(zones[0], zones[1:]) == ""
    assert suggestions.find((9999, LINES)) == ""
