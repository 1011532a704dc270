from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest

from scanner.errors import FormError, MissingToolError
from scanner.forms import fonts
from scanner.forms.drawing.blocks import draw_pieces
from scanner.forms.drawing.design import BOX_MM, design_form
from scanner.forms.drawing.paging import paginate
from scanner.forms.drawing.printing import BLANK_DPI
from scanner.forms.layout import BLANK_PDF, lay_out_form, print_form
from scanner.forms.picture import load_blank
from scanner.forms.questions import QUESTIONS_FILE, Questions, read_questions
from scanner.forms.template import Form, Option
from scanner.geometry import mm_to_px

SHIPPED = Path(__file__).parents[1] / "form_templates" / "sxd_5muc"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Form:
    folder = tmp_path_factory.mktemp("forms") / "sxd_5muc"
    return lay_out_form(read_questions(SHIPPED / QUESTIONS_FILE), folder)


def described(*blocks: object, **changes: object) -> Questions:
    return Questions.model_validate(
        {
            "id": "small",
            "title": "Phiếu",
            "organisation": ["UBND TỈNH", "SỞ"],
            "heading": "PHIẾU",
            "subheading": "Ý kiến",
            "blocks": list(blocks),
        }
        | changes
    )


def question(name: str, *labels: str, **changes: object) -> dict[str, object]:
    options = [{"id": f"o{i}", "label": label} for i, label in enumerate(labels, start=1)]
    return {"kind": "question", "id": name, "text": f"{name}?", "options": options} | changes


def printed_text(form: Form) -> str:
    document = pdfium.PdfDocument(form.folder / BLANK_PDF)
    try:
        return " ".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


def words(text: str) -> Counter[str]:
    return Counter(word.rstrip(".") for word in text.split() if word.strip(".…"))


def outline_and_inside(form: Form, option: Option) -> tuple[float, float]:
    """Mean grey on the middle of the outline, and inside it, on the blank."""
    page = form.page(option.page)
    assert page is not None
    blank = load_blank(form, page)
    x, y = mm_to_px(option.x, BLANK_DPI), mm_to_px(option.y, BLANK_DPI)
    side, line = mm_to_px(option.w, BLANK_DPI), mm_to_px(0.175, BLANK_DPI)
    down = slice(round(y + side * 0.2), round(y + side * 0.8))
    along = slice(round(x + side * 0.2), round(x + side * 0.8))
    edges = [
        blank[down, round(x + line - 0.5)],
        blank[down, round(x + side - line - 0.5)],
        blank[round(y + line - 0.5), along],
        blank[round(y + side - line - 0.5), along],
    ]
    return float(np.mean([edge.mean() for edge in edges])), float(blank[down, along].mean())


def test_every_target_of_the_form_is_an_empty_printed_box(drawn: Form) -> None:
    for _contest, option in drawn.targets():
        outline, inside = outline_and_inside(drawn, option)
        assert outline < 90
        assert inside > 250
        assert option.w == option.h == BOX_MM


def test_the_survey_has_its_fourteen_questions_of_three_and_its_fields(drawn: Form) -> None:
    sizes = {contest.id: (len(contest.options), contest.max) for contest in drawn.contests}
    assert sizes.pop("linh_vuc") == (5, 5)
    assert len(sizes) == 14
    assert set(sizes.values()) == {(3, 1)}
    assert {option.page for _contest, option in drawn.targets()} == {1, 2}


def test_the_paper_carries_every_word_of_the_description_with_its_signs(drawn: Form) -> None:
    wanted = words(" ".join(read_questions(SHIPPED / QUESTIONS_FILE).texts()))
    found = words(printed_text(drawn))
    assert not wanted - found
    assert words("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM Độc lập - Tự do - Hạnh phúc") <= found
    text = printed_text(drawn)
    assert unicodedata.normalize("NFC", text) == text


def test_bold_type_is_bolder_than_plain_type(drawn: Form) -> None:
    bold = fonts.text_width_pt("CỘNG HÒA", fonts.Face.BOLD, 12)
    assert bold > fonts.text_width_pt("CỘNG HÒA", fonts.Face.PLAIN, 12) * 1.02
    data = (drawn.folder / BLANK_PDF).read_bytes()
    used = {*fonts.Face} - {fonts.Face.BOLD_ITALIC}
    assert all(face.value.encode() in data for face in used)


def test_the_personal_lines_are_a_private_zone_clear_of_every_box(drawn: Form) -> None:
    (zone,) = drawn.private
    assert zone.page == 1
    assert zone.y > 40
    assert zone.y + zone.h < min(o.y for _c, o in drawn.targets() if o.page == 1)


def test_the_same_description_gives_the_same_paper(tmp_path: Path) -> None:
    form = described(question("q1", "Có", "Không"))
    first, second = (lay_out_form(form, tmp_path / name) for name in ("a", "b"))
    assert first.content_hash == second.content_hash
    assert (tmp_path / "a" / BLANK_PDF).read_bytes() == (tmp_path / "b" / BLANK_PDF).read_bytes()


def test_a_question_never_goes_across_two_pages(tmp_path: Path) -> None:
    many = [question(f"q{i}", "Có", "Không", "Không biết", columns=1) for i in range(1, 31)]
    form = lay_out_form(described(*many), tmp_path / "long")
    assert len(form.pages) > 2
    for contest in form.contests:
        assert len({option.page for option in contest.options}) == 1
    assert all(option.box.bottom < 297 - 12 for _contest, option in form.targets())


def test_a_heading_stays_with_its_question(tmp_path: Path) -> None:
    filler = [question(f"q{i}", "Có", columns=1) for i in range(1, 13)]
    blocks = [*filler, {"kind": "section", "text": "II. PHẦN HAI"}, question("last", "Có")]
    for count in range(len(filler)):
        form = described(*blocks[count:])
        design = design_form(form)
        section, last = paginate(draw_pieces(form, design), design.room_mm)[-2:]
        assert section.page == last.page


def test_a_question_too_long_for_its_page_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    labels = [f"Phương án {i}" for i in range(60)]
    with pytest.raises(FormError, match=r"'q1\?' is too long for its page"):
        lay_out_form(described(question("q1", *labels, columns=1)), tmp_path / "tall")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("labels", "columns"),
    [
        (("Có", "Không", "Khác"), 3),
        (("Công khai nhưng không đầy đủ nội dung và rất khó tiếp cận với người dân",) * 3, 2),
        (("Công khai nhưng không đầy đủ nội dung " * 4,) * 3, 1),
    ],
)
def test_long_answers_get_wider_columns(
    tmp_path: Path, labels: tuple[str, ...], columns: int
) -> None:
    form = lay_out_form(described(question("q1", *labels)), tmp_path / "wide")
    assert len({option.x for _contest, option in form.targets()}) == columns


def test_no_label_runs_into_the_next_box(drawn: Form) -> None:
    for contest in drawn.contests:
        for option in contest.options:
            page = drawn.page(option.page)
            assert page is not None
            blank = load_blank(drawn, page)
            gap = slice(
                round(mm_to_px(option.x - 2.5, BLANK_DPI)),
                round(mm_to_px(option.x - 0.3, BLANK_DPI)),
            )
            down = slice(
                round(mm_to_px(option.y, BLANK_DPI)),
                round(mm_to_px(option.y + option.h, BLANK_DPI)),
            )
            assert blank[down, gap].min() > 200


def test_a_letter_the_font_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormError, match="票"):
        lay_out_form(described(question("q1", "票")), tmp_path / "letters")


def test_a_missing_font_says_what_to_install_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fonts, "_FAMILY", "No Such Family")
    fonts.load_faces.cache_clear()
    try:
        with pytest.raises(MissingToolError, match="fontpkg-noto-serif"):
            print_form(SHIPPED / QUESTIONS_FILE, tmp_path)
    finally:
        monkeypatch.undo()
        fonts.load_faces()
    assert list(tmp_path.iterdir()) == []
