"""A blank becomes the draft of a form: whole or not at all, with all doubts said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from scanner.errors import FormError, InputError
from scanner.forms.template import Form, read_form
from scanner.geometry import Box
from scanner.reading.pages import close_files
from scanner.registering import draft, words
from scanner.registering.doubts import find_doubts
from scanner.registering.draft import RegisteredForm, RegisterRequest, register_blank
from scanner.registering.found import Example, PrintedWord
from scanner.registering.grouping import FoundContest, FoundOption
from scanner.registering.private import find_private, find_title
from tests.printed_pages import level_page, option_row, target
from tests.printed_pages import words as print_words

TEMPLATES = Path(__file__).parents[1] / "form_templates"
DRAWN = TEMPLATES / "tth5_phuong"
TABLE = TEMPLATES / "bao_lam_huyen"


def register(tmp_path: Path, *blanks: Path, **options: Any) -> RegisteredForm:
    options.setdefault("form_id", "thu")
    request = RegisterRequest(blanks, tmp_path / "forms", **options)
    try:
        return register_blank(request)
    finally:
        close_files()


def nothing_was_left(tmp_path: Path) -> bool:
    folder = tmp_path / "forms"
    return not folder.exists() or not list(folder.iterdir())


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if Tesseract were not installed."""
    monkeypatch.setattr(words, "available_languages", lambda: ())
    monkeypatch.setattr(draft, "available_languages", lambda: ())


def picture(tmp_path: Path, gray: NDArray[np.uint8], name: str = "blank.png") -> Path:
    path = tmp_path / name
    Image.fromarray(gray).save(path, dpi=(200, 200))
    return path


def page_of(folder: Path) -> NDArray[np.uint8]:
    gray = cv2.imread(str(folder / "page-1.png"), cv2.IMREAD_GRAYSCALE)
    assert gray is not None
    return gray.astype(np.uint8)


def texts(form: Form) -> list[tuple[str, list[str]]]:
    return [(c.title, [option.label for option in c.options]) for c in form.contests]


def plain(form: Form) -> list[tuple[str, list[str]]]:
    """Without the numbers and colons that the name of a question leaves out."""
    return [
        (title.removeprefix("1. ").removeprefix("2. ").rstrip(":"), labels)
        for title, labels in texts(form)
    ]


@pytest.mark.parametrize("folder", [DRAWN, TABLE], ids=["boxes", "table"])
def test_a_drawn_form_is_registered_from_its_pdf_as_it_was_drawn(
    tmp_path: Path, folder: Path
) -> None:
    made = register(tmp_path, folder / "blank.pdf")
    drawn = read_form(folder)
    assert plain(made.form) == plain(drawn)
    for (_c, found), (_d, true) in zip(made.form.targets(), drawn.targets(), strict=True):
        assert (found.x, found.y) == pytest.approx((true.x, true.y), abs=0.5)
        assert found.shape == true.shape
    assert [contest.id for contest in made.form.contests][:2] == ["q1", "q2"]
    assert [option.id for option in made.form.contests[0].options][:2] == ["o1", "o2"]
    assert made.form.title.startswith("PHIẾU")
    assert read_form(tmp_path / "forms" / "thu") == made.form


def test_a_place_for_names_is_private_and_holds_no_target(tmp_path: Path) -> None:
    made = register(tmp_path, DRAWN / "blank.pdf")
    true = read_form(DRAWN).private
    assert made.form.private
    for zone in made.form.private:
        box = Box(zone.x, zone.y, zone.w, zone.h)
        assert any(box.overlaps(Box(other.x, other.y, other.w, other.h)) for other in true)
        assert not any(option.box.overlaps(box) for _c, option in made.form.targets())
    assert any("private" in note for note in made.notes)


def test_a_picture_of_the_proposal_is_written_for_each_page(tmp_path: Path) -> None:
    made = register(tmp_path, TEMPLATES / "sxd_5muc" / "blank.pdf")
    assert [path.name for path in made.pictures] == ["proposal-1.png", "proposal-2.png"]
    with Image.open(made.pictures[0]) as proposal:
        assert proposal.mode == "RGB"
        colours = np.asarray(proposal)
    option = made.form.contests[0].options[0]
    scale = 2000 / 297
    corner = colours[
        round(option.y * scale) - 6 : round(option.y * scale) + 6,
        round(option.x * scale) - 6 : round(option.x * scale) + 6,
    ]
    assert (np.ptp(corner.astype(int), axis=2) > 60).any()


def test_without_tesseract_a_picture_is_registered_with_bare_numbers(
    tmp_path: Path, silent: None
) -> None:
    made = register(tmp_path, picture(tmp_path, page_of(DRAWN)))
    drawn = read_form(DRAWN)
    assert len(list(made.form.targets())) == len(list(drawn.targets()))
    assert all(option.label == "" for _contest, option in made.form.targets())
    assert any("Tesseract" in note for note in made.notes)
    assert any(note == "Target 1: no text beside it." for note in made.notes)


def test_doubts_stand_in_the_draft_above_what_they_are_about(tmp_path: Path, silent: None) -> None:
    register(tmp_path, picture(tmp_path, page_of(DRAWN)))
    lines = (tmp_path / "forms" / "thu" / "form.yaml").read_text(encoding="utf-8").splitlines()
    above = lines.index(next(line for line in lines if "Target 2: no text" in line))
    assert lines[above].lstrip().startswith("#")
    assert 'id: "o2"' in lines[above + 1]


def test_a_filled_sheet_is_refused_as_a_blank_with_the_places_of_its_marks(
    tmp_path: Path, silent: None
) -> None:
    gray = page_of(DRAWN)
    option = read_form(DRAWN).contests[0].options[1]
    px = 200 / 25.4
    left, top = round(option.x * px), round(option.y * px)
    side = round(option.w * px)
    cv2.line(gray, (left, top), (left + side, top + side), 30, 4)
    cv2.line(gray, (left + side, top), (left, top + side), 30, 4)
    blank = picture(tmp_path, gray)
    with pytest.raises(FormError) as caught:
        register(tmp_path, blank)
    assert f"page 1, {option.box.center[0]:.0f} mm from the left" in caught.value.message
    assert "--allow-marked" in caught.value.remedy
    assert nothing_was_left(tmp_path)
    made = register(tmp_path, blank, allow_marked=True)
    assert len(list(made.form.targets())) == len(list(read_form(DRAWN).targets()))


def test_a_page_without_targets_is_refused_with_what_to_do(tmp_path: Path, silent: None) -> None:
    white = np.full((1600, 1200), 255, np.uint8)
    for row in range(12):
        cv2.putText(white, "some text", (100, 200 + 90 * row), 0, 1.5, 0, 3)
    with pytest.raises(FormError) as caught:
        register(tmp_path, picture(tmp_path, white))
    assert "--example" in caught.value.remedy
    assert nothing_was_left(tmp_path)


def test_an_id_that_is_taken_or_will_not_do_is_refused_before_anything_is_read(
    tmp_path: Path,
) -> None:
    (tmp_path / "forms" / "thu").mkdir(parents=True)
    with pytest.raises(FormError, match="already"):
        register(tmp_path, tmp_path / "gone.pdf")
    with pytest.raises(FormError, match="cannot be the id"):
        register(tmp_path, tmp_path / "gone.pdf", form_id="a/b")
    with pytest.raises(InputError):
        register(tmp_path, tmp_path / "gone.pdf", replace=True)
    assert (tmp_path / "forms" / "thu").is_dir()


def test_a_form_of_the_same_id_is_replaced_when_asked_for(tmp_path: Path) -> None:
    register(tmp_path, DRAWN / "blank.pdf")
    made = register(tmp_path, TABLE / "blank.pdf", replace=True, title="Bản mới", language="en")
    assert (made.form.title, made.form.language) == ("Bản mới", "en")
    assert plain(made.form) == plain(read_form(TABLE))
    assert sorted(path.name for path in (tmp_path / "forms").iterdir()) == ["thu"]


def test_the_pages_of_several_files_are_numbered_through(tmp_path: Path, silent: None) -> None:
    front = picture(tmp_path, page_of(DRAWN), "front.png")
    back = picture(tmp_path, page_of(TABLE), "back.png")
    made = register(tmp_path, front, back)
    assert [page.number for page in made.form.pages] == [1, 2]
    wanted = [len(list(read_form(folder).targets())) for folder in (DRAWN, TABLE)]
    assert [len(made.form.targets_on(page)) for page in (1, 2)] == wanted


def test_an_example_counts_for_all_files(tmp_path: Path, silent: None) -> None:
    front = picture(tmp_path, page_of(DRAWN), "front.png")
    back = picture(tmp_path, page_of(TEMPLATES / "huong_an_2019"), "back.png")
    drawn = next(option for _c, option in read_form(DRAWN).targets())
    made = register(tmp_path, front, back, examples=(Example(1, drawn.box),))
    wanted = len(list(read_form(TEMPLATES / "huong_an_2019").targets()))
    assert len(made.form.targets_on(2)) == wanted


def contest(title: str = "Q", sure: float = 1.0, **changes: Any) -> FoundContest:
    changes.setdefault("options", (FoundOption(0, "A", 1.0), FoundOption(1, "B", 1.0)))
    return FoundContest(page=1, title=title, sure=sure, **changes)


def test_what_was_read_well_raises_no_doubt() -> None:
    assert find_doubts([contest()]) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (contest(""), "Question 1: no text found above it."),
        (contest("Qv?st", 0.4), "Question 1: read with little confidence: “Qv?st”."),
        (contest(max=2), "Question 1: up to 2 may be chosen, as its text says."),
        (contest(options=(FoundOption(0, "A", 1.0),)), "Question 1: it has only one target"),
        (contest(options=(FoundOption(0, "A", 1), FoundOption(1, "", 1))), "Target 2: no text"),
        (contest(options=(FoundOption(0, "A", 1), FoundOption(1, "a", 1))), "the same text"),
        (
            contest(options=(FoundOption(0, "A", 1), FoundOption(1, "Ĥ", 0.3))),
            "Target 2: read with little confidence: “Ĥ”.",
        ),
    ],
)
def test_each_doubt_is_a_plain_sentence(found: FoundContest, said: str) -> None:
    (doubt,) = find_doubts([found])
    assert said in doubt.text


def test_targets_are_numbered_through_the_whole_form() -> None:
    unread = contest(options=(FoundOption(0, "A", 1.0), FoundOption(1, "", 1.0)))
    assert [doubt.text for doubt in find_doubts([contest(), unread])] == [
        "Target 4: no text beside it."
    ]


def test_a_label_for_a_name_with_dots_is_private_and_a_sentence_about_names_is_not() -> None:
    targets, printed = option_row(50, ["Có", "Không"])
    printed += print_words("Phiếu không bắt buộc ghi tên và địa chỉ.", 22, 30)
    printed += print_words("Họ và tên: .................. Điện thoại: ..........", 22, 90)
    printed += print_words("Địa chỉ/Tổ chức: ...............................", 22, 98)
    (zone,) = find_private(level_page(targets, printed))
    assert zone.y < 88
    assert zone.bottom > 99
    assert zone.x < 22


def test_a_private_place_stops_short_of_a_target() -> None:
    box = target(150, 90)
    printed = print_words("Họ và tên: ..................", 22, 90)
    (zone,) = find_private(level_page([box], printed))
    assert zone.right < box.box.x


def test_the_title_is_the_heading_with_the_lines_under_it() -> None:
    targets, printed = option_row(90, ["Có", "Không"])
    for y, text in ((20, "ỦY BAN NHÂN DÂN"), (35, "PHIẾU KHẢO SÁT"), (41, "Mức độ hài lòng")):
        width = sum(len(word) for word in text.split()) * 1.9 + text.count(" ")
        printed += print_words(text, 105 - width / 2, y)
    printed += print_words("Đề nghị đánh dấu vào một ô.", 75, 60)
    assert find_title(level_page(targets, printed)) == "PHIẾU KHẢO SÁT Mức độ hài lòng"


def test_without_a_word_for_forms_the_title_is_the_uppermost_large_print() -> None:
    targets, printed = option_row(90, ["Có", "Không"])
    small = print_words("Precinct 14", 22, 12)
    large = [
        PrintedWord(word.text, Box(word.box.x, word.box.y, word.box.w, 6.0))
        for word in print_words("Official Ballot", 22, 20) + print_words("General Election", 22, 30)
    ]
    page = level_page(targets, [*printed, *small, *large])
    assert find_title(page) == "Official Ballot"


def test_two_lines_to_write_another_name_on_raise_no_doubt() -> None:
    lines = tuple(FoundOption(place, "write-in", 1.0, is_write_in=True) for place in (0, 1))
    assert find_doubts([contest(options=lines)]) == []


def test_a_page_without_words_has_no_title() -> None:
    assert find_title(level_page([target(30, 40)], [])) == ""
