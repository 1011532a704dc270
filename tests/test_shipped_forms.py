"""The forms that ship are what their descriptions draw, word for word."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.forms.catalog import list_forms
from scanner.forms.drawing.printing import BLANK_DPI, draw_blanks
from scanner.forms.health import Severity, check_form
from scanner.forms.layout import BLANK_PDF, lay_out_form
from scanner.forms.picture import load_blank
from scanner.forms.questions import QUESTIONS_FILE, read_questions
from scanner.forms.template import FORM_FILE, Form, read_form
from scanner.geometry import MM_PER_INCH, Box

SHIPPED = Path(__file__).parents[1] / "form_templates"
TARGETS = {
    "bao_lam_huyen": 8 * 5 + 9 + 2,
    "bao_lam_xa": 8 * 5 + 3 + 2,
    "huong_an_2019": 4 * 3 + 6,
    "sxd_5muc": 14 * 3 + 5,
    "tth5_phuong": 5 * 3 + 6,
}


@pytest.fixture(scope="module", params=sorted(TARGETS))
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Form, Form]:
    """A shipped form, and the same drawn again."""
    folder = SHIPPED / str(request.param)
    again = tmp_path_factory.mktemp("forms") / folder.name
    return read_form(folder), lay_out_form(read_questions(folder / QUESTIONS_FILE), again)


def test_all_forms_of_the_source_documents_ship() -> None:
    forms = list_forms(SHIPPED)
    assert {form.id: len(list(form.targets())) for form in forms} == TARGETS


def test_a_shipped_form_is_what_its_description_draws(pair: tuple[Form, Form]) -> None:
    shipped, drawn = pair
    assert shipped.model_dump() == drawn.model_dump()
    written = [(form.folder / FORM_FILE).read_text(encoding="utf-8") for form in pair]
    assert written[0] == written[1]
    printed = list(draw_blanks((shipped.folder / BLANK_PDF).read_bytes()))
    for page, png in zip(shipped.pages, printed, strict=True):
        blank = load_blank(shipped, page).astype(int)
        from_pdf = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert from_pdf is not None
        for other in (load_blank(drawn, page), from_pdf):
            assert np.abs(blank - other).mean() < 0.5


def test_a_shipped_form_is_fit_to_be_read(pair: tuple[Form, Form]) -> None:
    shipped, _drawn = pair
    assert [found for found in check_form(shipped) if found.severity is Severity.FAULT] == []


def test_a_shipped_form_fits_its_paper(pair: tuple[Form, Form]) -> None:
    shipped, _drawn = pair
    assert len(shipped.pages) == (2 if shipped.id == "sxd_5muc" else 1)


def test_what_voters_write_of_themselves_is_a_zone_clear_of_every_box(
    pair: tuple[Form, Form],
) -> None:
    shipped, _drawn = pair
    (zone,) = shipped.private
    for _contest, option in shipped.targets_on(zone.page):
        assert option.box.bottom <= zone.y or option.y >= zone.y + zone.h


def test_what_voters_write_in_their_own_words_is_a_zone_clear_of_boxes_and_names(
    pair: tuple[Form, Form],
) -> None:
    shipped, _drawn = pair
    assert shipped.comments
    for comment in shipped.comments:
        page = shipped.page(comment.page)
        assert page is not None
        assert comment.private
        assert comment.title
        assert not comment.title.endswith(":")
        for _contest, option in shipped.targets_on(comment.page):
            assert not comment.box.overlaps(option.box), (comment.id, option.id)
        for zone in shipped.private:
            apart = not comment.box.overlaps(Box(zone.x, zone.y, zone.w, zone.h))
            assert zone.page != comment.page or apart
        scale = BLANK_DPI / MM_PER_INCH
        box = comment.box.scaled(scale, scale)
        rows = slice(round(box.y), round(box.bottom))
        inside = load_blank(shipped, page)[rows, round(box.x) : round(box.right)]
        dots = (inside < 128).any(axis=0).mean()
        assert dots > 0.3, "there are no dots to write on"


def test_the_field_of_service_is_no_question_of_the_survey() -> None:
    for form in list_forms(SHIPPED):
        asked = [contest.id for contest in form.contests if not contest.breakdown]
        assert "doi_tuong" not in asked
        if form.id != "sxd_5muc":
            assert "linh_vuc" not in asked


def test_the_demonstration_was_drawn_from_the_form_that_ships() -> None:
    known = "bdc6d31ce384745c47f37e0bd5500f3436e41b0ff194ff428e9ffe1218164a37"
    assert read_form(SHIPPED / "sxd_5muc").content_hash == known


def test_no_two_shipped_forms_have_the_same_blank() -> None:
    for one, other in combinations(list_forms(SHIPPED), 2):
        first, second = (load_blank(form, form.pages[0]).astype(int) for form in (one, other))
        assert np.abs(first - second).mean() > 1
