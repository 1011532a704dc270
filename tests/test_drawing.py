"""What a description may ask for is drawn, and registered exactly where it is drawn."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from scanner.errors import FormError
from scanner.forms import fonts
from scanner.forms.drawing.blocks import draw_pieces
from scanner.forms.drawing.design import OUTLINE_MM, Design, design_form
from scanner.forms.drawing.paging import Placed, paginate
from scanner.forms.drawing.pieces import Run, Stroke, Target
from scanner.forms.drawing.record import record_form
from scanner.forms.drawing.typography import width_mm, wrap, wrap_evenly
from scanner.forms.fonts import Face
from scanner.forms.layout import BLANK_PDF, lay_out_form
from scanner.forms.picture import load_blank
from scanner.forms.questions import Questions
from scanner.forms.template import Form, Option
from scanner.geometry import Box

FINE_DPI = 600
SCALE = [{"id": f"s{i}", "label": label} for i, label in enumerate(["Rất hài lòng", "Kém"])]


def described(*blocks: object, **changes: object) -> Questions:
    form = {"id": "small", "title": "Phiếu", "header": "none", "heading": "PHIẾU"}
    return Questions.model_validate(form | {"blocks": list(blocks)} | changes)


def question(name: str, *labels: str, **changes: object) -> dict[str, object]:
    options = [{"id": f"o{i}", "label": label} for i, label in enumerate(labels, start=1)]
    return {"kind": "question", "id": name, "text": f"{name}?", "options": options} | changes


def matrix(count: int, **changes: object) -> dict[str, object]:
    listed = [{"id": f"r{i}", "text": f"Nội dung {i}"} for i in range(1, count + 1)]
    return {"kind": "matrix", "text": "Đánh giá", "scale": SCALE, "rows": listed} | changes


def place(form: Questions) -> tuple[Design, list[Placed]]:
    fonts.load_faces()
    design = design_form(form)
    return design, paginate(draw_pieces(form, design), design.room_mm)


def printed_text(form: Form) -> list[str]:
    document = pdfium.PdfDocument(form.folder / BLANK_PDF)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


def render(path: Path, number: int, dpi: float = FINE_DPI) -> NDArray[np.uint8]:
    document = pdfium.PdfDocument(path)
    try:
        bitmap = document[number].render(scale=dpi / 72, grayscale=True)
        return np.ascontiguousarray(bitmap.to_numpy().squeeze())
    finally:
        document.close()


def line_at(gray: NDArray[np.uint8], expected_mm: float, along_mm: tuple[float, float]) -> float:
    """Where, in millimetres, the middle of the vertical line near a place is drawn."""
    px = FINE_DPI / 25.4
    first = round((expected_mm - 0.6) * px)
    rows = slice(round(along_mm[0] * px), round(along_mm[1] * px))
    dark = 255.0 - gray[rows, first : round((expected_mm + 0.6) * px)].mean(axis=0)
    return float((first + 0.5 + np.average(np.arange(dark.size), weights=dark)) / px)


def furthest_off_mm(gray: NDArray[np.uint8], option: Option) -> float:
    """How far the drawn outline of a target lies from its registered box, at the worst edge."""
    inset = OUTLINE_MM / 2 if option.shape == "box" else 0.0
    box = option.box.grown(-inset)
    across = (box.y + box.h * 0.3, box.y + box.h * 0.7)
    down = (box.x + box.w * 0.3, box.x + box.w * 0.7)
    return max(
        abs(line_at(gray, box.x, across) - box.x),
        abs(line_at(gray, box.right, across) - box.right),
        abs(line_at(gray.T, box.y, down) - box.y),
        abs(line_at(gray.T, box.bottom, down) - box.bottom),
    )


@pytest.mark.parametrize(
    ("marks", "paper"), [("cell", "A4"), ("cell", "A5"), ("box", "A4"), ("box", "A5")]
)
def test_targets_are_registered_where_they_are_drawn(
    tmp_path: Path, marks: str, paper: str
) -> None:
    blocks = [question("q1", "Có", "Không", "Khác", columns=3), matrix(4, marks=marks)]
    form = lay_out_form(described(*blocks, paper=paper), tmp_path / "form")
    gray = render(form.folder / BLANK_PDF, 0)
    shapes = [option.shape for _contest, option in form.targets()]
    assert shapes == ["box"] * 3 + [marks] * 8
    assert max(furthest_off_mm(gray, option) for _contest, option in form.targets()) < 0.1


def test_each_row_of_a_table_is_a_question_with_the_answers_of_its_head(tmp_path: Path) -> None:
    form = lay_out_form(described(matrix(3, max=2)), tmp_path / "form")
    assert [(c.id, c.title, c.max) for c in form.contests] == [
        (f"r{i}", f"Nội dung {i}", 2) for i in (1, 2, 3)
    ]
    for contest in form.contests:
        assert [option.label for option in contest.options] == ["Rất hài lòng", "Kém"]
        assert len({option.y for option in contest.options}) == 1
    first, second, *_others = (contest.options for contest in form.contests)
    assert [option.x for option in first] == [option.x for option in second]
    assert first[0].box.bottom == pytest.approx(second[0].y)
    assert first[0].box.right == pytest.approx(first[1].x)
    assert "(có thể chọn nhiều ô)" in printed_text(form)[0]


def test_cells_are_empty_and_their_table_is_closed(tmp_path: Path) -> None:
    form = lay_out_form(described(matrix(3)), tmp_path / "form")
    blank = load_blank(form, form.pages[0])
    for _contest, option in form.targets():
        inside = option.box.grown(-0.5).scaled(200 / 25.4, 200 / 25.4)
        x, y = round(inside.x), round(inside.y)
        assert blank[y : round(inside.bottom), x : round(inside.right)].min() > 240


def test_a_table_that_fits_on_a_page_is_never_divided() -> None:
    for filler in range(0, 14, 3):
        _design, placed = place(
            described(*(question(f"q{i}", "Có") for i in range(filler)), matrix(14))
        )
        tables = [part for part in placed if part.piece.table]
        assert len(tables) == 1


def test_a_table_taller_than_a_page_goes_on_below_its_head(tmp_path: Path) -> None:
    section = {"kind": "section", "text": "I. PHẦN MỘT"}
    form = lay_out_form(described(section, matrix(60), question("q1", "Có")), tmp_path / "form")
    assert len(form.pages) == 3
    texts = printed_text(form)
    assert all("Rất hài lòng" in text.replace("\r\n", " ") for text in texts)
    assert [text.count("Đánh giá") for text in texts] == [1, 0, 0]
    assert "PHẦN MỘT" in texts[0]
    pages = [contest.options[0].page for contest in form.contests]
    assert pages == sorted(pages)
    assert all(len({option.page for option in c.options}) == 1 for c in form.contests)


def test_a_row_taller_than_a_page_is_named() -> None:
    rows = [{"id": "r1", "text": "Nội dung " * 2000}]
    with pytest.raises(FormError, match="too long for its page"):
        place(described(matrix(1, rows=rows, text="Bảng")))


def test_a_table_with_too_many_answers_for_its_paper_is_named() -> None:
    scale = [{"id": f"s{i}", "label": f"Mức độ {i}"} for i in range(10)]
    with pytest.raises(FormError, match="'Đánh giá' is too wide"):
        place(described(matrix(2, scale=scale), paper="A5"))


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5])
def test_answers_stand_in_as_many_columns_as_asked_for(columns: int) -> None:
    form = described(question("q1", *"ABCDEFGHIJ", columns=columns))
    design, placed = place(form)
    options = record_form(form, design, placed).contests[0].options
    assert len({option.x for option in options}) == columns
    assert len({option.y for option in options}) == -(-10 // columns)
    assert [(o.y, o.x) for o in options] == sorted((o.y, o.x) for o in options)


def test_how_many_may_be_chosen_is_told_after_the_question(tmp_path: Path) -> None:
    labels = ("A", "B", "C")
    form = described(
        question("one", *labels),
        question("two", *labels, max=2),
        question("all", *labels, max=3),
        question("hush", *labels, max=2, tell_max=False),
    )
    text = printed_text(lay_out_form(form, tmp_path / "form"))[0]
    assert "two? (chọn tối đa 2 ô)" in text
    assert "all? (có thể chọn nhiều ô)" in text
    assert text.count("chọn") == 2


@pytest.mark.parametrize(
    ("language", "cancel", "told"),
    [
        ("vi", "none", "Nếu đánh nhầm, xin đổi phiếu khác."),
        ("vi", "filled", "xin tô kín ô đã đánh rồi đánh dấu X vào ô khác."),
        ("en", "none", "please ask for a new paper."),
        ("en", "filled", "please black out that box and put an X in another."),
    ],
)
def test_the_voter_is_told_the_rule_by_which_the_form_is_read(
    tmp_path: Path, language: str, cancel: str, told: str
) -> None:
    blocks = [{"kind": "instruction"}, question("q1", "A", "B")]
    rule = {"cancel": cancel}
    form = lay_out_form(described(*blocks, language=language, rule=rule), tmp_path / "form")
    assert form.rule.cancel == cancel
    assert told in " ".join(printed_text(form)[0].split())


def test_only_the_correction_is_told_where_the_introduction_says_how_to_mark() -> None:
    blocks = [{"kind": "instruction", "marking": False}, question("q1", "A", "B")]
    _design, placed = place(described(*blocks))
    texts = [item.text for part in placed for item in part.piece.items if isinstance(item, Run)]
    assert "Nếu đánh nhầm, xin đổi phiếu khác." in texts
    assert not any("đánh dấu X" in text for text in texts)


@pytest.mark.parametrize(("paper", "size"), [("A4", (210, 297)), ("A5", (148, 210))])
def test_the_paper_has_its_size(tmp_path: Path, paper: str, size: tuple[int, int]) -> None:
    form = lay_out_form(described(question("q1", "A", "B"), paper=paper), tmp_path / "form")
    (page,) = form.pages
    assert (page.width_mm, page.height_mm) == size
    height, width = load_blank(form, page).shape
    assert (width, height) == pytest.approx([side / 25.4 * 200 for side in size], abs=1.5)


def test_the_two_columns_of_an_official_head_never_meet() -> None:
    office = "TRUNG TÂM HÀNH CHÍNH CÔNG THÀNH PHỐ HUẾ TỈNH THỪA THIÊN HUẾ"
    for paper in ("A4", "A5"):
        for language in ("vi", "en"):
            offices = ["ỦY BAN NHÂN DÂN", office]
            form = described(
                question("q1", "A"),
                header="official",
                organisation=offices,
                paper=paper,
                language=language,
            )
            design, (head, *_rest) = place(form)
            runs = [item for item in head.piece.items if isinstance(item, Run)]
            words = design.words
            right = [run for run in runs if run.text in (words.country, words.motto)]
            left = [run for run in runs if run not in right]
            assert (len(right), len(left) >= 3) == (2, True)
            ends = [run.x + width_mm(run.text, run.face, run.size_pt) for run in left]
            assert max(ends) < min(run.x for run in right) - 2
            assert min(run.x for run in runs) > -0.1


def test_a_plain_head_has_its_own_lines_and_no_country(tmp_path: Path) -> None:
    offices = ["The Union", "Northern Branch", "The Reading Club"]
    form = described(question("q1", "A"), header="plain", organisation=offices, language="en")
    text = printed_text(lay_out_form(form, tmp_path / "form"))[0]
    assert all(office in text for office in offices)
    assert "VIET NAM" not in text


def test_marks_in_the_corners_lie_where_any_office_machine_prints(tmp_path: Path) -> None:
    blocks = [question("q1", "A", "B")]
    form = lay_out_form(described(*blocks, corner_marks=True), tmp_path / "marked")
    bare = lay_out_form(described(*blocks), tmp_path / "bare")
    marked, other = (load_blank(drawn, drawn.pages[0]) for drawn in (form, bare))
    assert other[:80, :80].min() == 255
    for corner in (marked, np.fliplr(marked), np.flipud(marked), np.rot90(marked, 2)):
        y, x = np.nonzero(corner[:100, :100] < 128)
        assert y.size > 200
        assert min(x.min(), y.min()) / 200 * 25.4 >= 5.0


VIETNAMESE = "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY"
TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")


def vietnamese_letters() -> list[str]:
    composed = [unicodedata.normalize("NFC", x + tone) for x in VIETNAMESE for tone in TONES]
    return [*composed, "đ", "Đ"]


def test_every_letter_of_vietnamese_is_printed_with_its_signs(tmp_path: Path) -> None:
    letters = vietnamese_letters()
    assert all(len(letter) == 1 for letter in letters)
    notes: list[Any] = [
        {"kind": "note", "style": style, "text": " ".join(letters)}
        for style in ("plain", "bold", "italic")
    ]
    text = printed_text(lay_out_form(described(*notes), tmp_path / "form"))[0]
    for letter in letters:
        assert text.count(letter) >= 3, letter


@pytest.mark.parametrize("face", list(Face))
def test_no_two_letters_of_vietnamese_look_alike(face: Face) -> None:
    font = ImageFont.truetype(io.BytesIO(fonts._cut(face)), 60)
    pictures = set()
    for letter in vietnamese_letters():
        picture = Image.new("L", (120, 120))
        ImageDraw.Draw(picture).text((20, 15), letter, fill=255, font=font)
        pictures.add(picture.tobytes())
    assert len(pictures) == len(vietnamese_letters())
    assert bytes(120 * 120) not in pictures


texts = st.lists(
    st.sampled_from(["Có", "Không", "giải", "quyết", "thủ", "tục", "hành-chính", "W" * 40]),
    min_size=1,
    max_size=14,
).map(" ".join)


@given(texts, st.floats(8, 170))
def test_broken_text_fits_its_width_and_loses_nothing(text: str, width: float) -> None:
    load()
    for lines in (
        wrap(text, Face.PLAIN, 11, width),
        wrap(text, Face.PLAIN, 11, width, first=width * 0.7),
        wrap_evenly(text, Face.PLAIN, 11, width),
    ):
        assert all(width_mm(line, Face.PLAIN, 11) <= width + 1e-6 for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@cache
def load() -> None:
    fonts.load_faces()


@st.composite
def blocks(draw: st.DrawFn) -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(["question", "question", "matrix", "section", "lines"]))
        text = draw(texts)
        if kind == "question":
            labels = draw(st.lists(texts, min_size=1, max_size=10))
            columns = draw(st.sampled_from([None, 1, 2, 3, 4, 5]))
            most = draw(st.integers(1, len(labels)))
            made.append(question(f"q{number}", *labels, columns=columns, max=most, text=text))
        elif kind == "matrix":
            rows = [{"id": f"r{number}-{i}", "text": text} for i in range(draw(st.integers(1, 30)))]
            marks = draw(st.sampled_from(["cell", "box"]))
            made.append(matrix(1, rows=rows, marks=marks, numbered=draw(st.booleans())))
        elif kind == "section":
            made.append({"kind": "section", "text": text})
        else:
            made.append({"kind": "lines", "text": "Ý kiến", "count": draw(st.integers(1, 4))})
    return made


def ink(run: Run, part: Placed, design: Design) -> Box:
    """About where the letters of a text stand on the page."""
    width = width_mm(run.text, run.face, run.size_pt)
    height = run.size_pt * 25.4 / 72 * 0.7
    return Box(design.left_mm + run.x, design.top_mm + part.top + run.y - height, width, height)


@settings(max_examples=40, deadline=None)
@given(blocks(), st.sampled_from(["A4", "A5"]), st.booleans(), st.sampled_from([None, 9, 13]))
def test_any_list_of_questions_is_laid_out_soundly(
    listed: Sequence[dict[str, object]], paper: str, furniture: bool, text_pt: float | None
) -> None:
    load()
    described_form = described(
        *listed, paper=paper, code=furniture, corner_marks=furniture, text_pt=text_pt
    )
    try:
        design, placed = place(described_form)
    except FormError as error:
        assert "too long" in error.message
        return
    form = record_form(described_form, design, placed)
    for contest in form.contests:
        assert len({option.page for option in contest.options}) == 1
    limit = Box(0, 0, design.width_mm, design.height_mm - design.bottom_mm + 0.1).grown(-5)
    for page in form.pages:
        boxes = [option.box.grown(-0.01) for _contest, option in form.targets_on(page.number)]
        assert all(box.x > limit.x and box.right < limit.right for box in boxes)
        assert all(box.y > limit.y and box.bottom < limit.bottom + 5 for box in boxes)
        assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
        runs = [
            ink(item, part, design)
            for part in placed
            if part.page == page.number
            for item in part.piece.items
            if isinstance(item, Run)
        ]
        assert not any(run.overlaps(box) for run in runs for box in boxes)
        assert all(run.right <= design.width_mm - design.right_mm + 0.1 for run in runs)


def test_lines_of_a_table_are_drawn_once_around_each_cell() -> None:
    _design, placed = place(described(matrix(2)))
    (table,) = [part.piece for part in placed if part.piece.table]
    across = [x for x in table.items if isinstance(x, Stroke) and not x.h]
    assert len(across) == 4
    assert len([x for x in table.items if isinstance(x, Target)]) == 4
