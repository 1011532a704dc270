"""What a check says of a form: each finding by its place, with points and a remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.random import default_rng
from numpy.typing import NDArray

from scanner.forms.catalog import list_forms
from scanner.forms.codes import PageCode, draw_code, encode_code
from scanner.forms.health import Finding, Severity, check_form, score
from scanner.forms.pen import MarkKind, MarkStyle, draw_mark
from scanner.forms.picture import load_blank
from scanner.forms.template import Form, Zone, read_form, write_form
from scanner.registering.fitness import check_forms
from scanner.registering.likeness import FEW_PLACES, check_likeness, find_likenesses
from tests.deck_forms import DPI, PX_PER_MM, Asked, make_small_form, px, write, write_blank

SHIPPED = Path(__file__).parents[1] / "form_templates"


@pytest.fixture
def form(tmp_path: Path) -> Form:
    return make_small_form(tmp_path)


def blank_of(form: Form) -> NDArray[np.uint8]:
    return load_blank(form, form.pages[0])


def put_blank(form: Form, gray: NDArray[np.uint8]) -> None:
    write_blank(form.blank_path(form.pages[0]), gray)


def changed(form: Form, **fields: Any) -> Form:
    write_form(form.model_copy(update=fields), form.folder)
    return read_form(form.folder)


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    assert finding.remedy
    return finding


def test_a_sound_form_has_all_points(form: Form) -> None:
    assert check_form(form) == []
    assert score([]) == 100


@pytest.mark.slow
def test_the_forms_that_ship_are_sound_and_cannot_be_mistaken_for_each_other() -> None:
    forms = list_forms(SHIPPED)
    assert check_forms(forms, forms) == {form.id: [] for form in forms}


def test_points_are_taken_away_by_weight_and_never_fall_below_none() -> None:
    light = Finding(Severity.WARNING, "a", "b", weight=15)
    assert score([light]) == 85
    assert score([light] * 9) == 0


def test_boxes_that_a_tick_would_reach_from_the_next_are_named(tmp_path: Path) -> None:
    near = make_small_form(tmp_path, "near", [Asked("q1", 4, 1, step_mm=6.0)])
    findings = check_form(near)
    assert any("less than 2 mm from another: q1/o1, q1/o2" in one.message for one in findings)
    cells = make_small_form(
        tmp_path, "cells", [Asked("q1", 4, 1, "cell", size_mm=(16, 9), step_mm=16.0)]
    )
    assert check_form(cells) == []


def test_a_box_smaller_than_2_5_mm_is_named(tmp_path: Path) -> None:
    tiny = make_small_form(tmp_path, "tiny", [Asked("q1", 3, 1, size_mm=(2.2, 2.2))])
    assert "smaller than 2.5 mm: q1/o1, q1/o2, q1/o3" in only(check_form(tiny)).message


def test_print_right_beside_a_box_is_named(form: Form) -> None:
    gray = blank_of(form)
    option = form.contests[0].options[1]
    beside_mm = option.x + option.w + 1.0
    cv2.line(gray, (px(beside_mm), px(option.y)), (px(beside_mm), px(option.y + 4)), 0, 3)
    put_blank(form, gray)
    finding = only(check_form(form))
    assert "1.5 mm from a target: q1/o2." in finding.message
    assert finding.weight == 5


@pytest.mark.parametrize("kind", [MarkKind.CROSS, MarkKind.TICK, MarkKind.FILL])
@pytest.mark.parametrize("shape", ["box", "oval"])
def test_a_blank_that_somebody_has_marked_is_a_fault(
    tmp_path: Path, kind: MarkKind, shape: str
) -> None:
    size = (4.5, 4.5) if shape == "box" else (6.0, 4.0)
    asked = Asked("q1", 3, 1, "box" if shape == "box" else "oval", size)
    form = make_small_form(tmp_path, "marked", [asked, Asked("q2")])
    gray = blank_of(form)
    box = form.contests[0].options[2].box.scaled(PX_PER_MM, PX_PER_MM)
    draw_mark(gray, box, DPI, MarkStyle(kind), default_rng(1))
    put_blank(form, gray)
    finding = next(one for one in check_form(form) if one.severity is Severity.FAULT)
    assert "dark on the blank already: q1/o3." in finding.message


def test_a_letter_printed_in_every_box_is_no_mark(form: Form) -> None:
    gray = blank_of(form)
    for _contest, option in form.targets():
        write(gray, option.id[-1], option.x + 1.2, option.y + 3.4, 0.7)
    put_blank(form, gray)
    assert check_form(form) == []


def test_a_quarter_of_the_page_with_boxes_and_no_print_is_named(form: Form) -> None:
    lower = form.contests[1].model_copy(
        update={
            "options": (form.contests[1].options[0].model_copy(update={"y": 180.0, "x": 110.0}),)
        }
    )
    gray = blank_of(form)
    gray[gray.shape[0] // 2 :, px(60) :] = 255
    cv2.rectangle(gray, (px(110), px(180)), (px(114.5), px(184.5)), 0, 2)
    put_blank(form, gray)
    without = [contest for contest in form.contests if contest.id == "q1"]
    finding = only(check_form(changed(form, contests=(*without, lower))))
    assert finding.message.endswith("quarters of the page: lower right.")
    assert check_form(changed(form, contests=tuple(without))) == []


def test_a_private_zone_over_a_box_is_a_fault(form: Form) -> None:
    option = form.contests[1].options[0]
    zone = Zone(page=1, x=option.x - 5, y=option.y + 2, w=30, h=20)
    finding = only(check_form(changed(form, private=(zone,))))
    assert finding.severity is Severity.FAULT
    assert "private zone: q2/o1." in finding.message
    beside = zone.model_copy(update={"y": option.y + 6, "h": 10})
    assert check_form(changed(form, private=(beside,))) == []


def test_contests_without_a_title_and_targets_without_a_label_are_named(form: Form) -> None:
    bare = form.contests[0].model_copy(update={"title": ""})
    finding = only(check_form(changed(form, contests=(bare, *form.contests[1:]))))
    assert "without a title: q1." in finding.message
    assert finding.weight == 5


# --- codes --------------------------------------------------------------------------------------


def with_code(form: Form, side_mm: float, code: PageCode | None = None) -> Form:
    """The same form with a code printed in its lower left corner."""
    wanted = PageCode(form.id, 1)
    squares = np.array(draw_code(code or wanted), np.uint8)
    printed = cv2.resize(
        255 * (1 - squares), (px(side_mm), px(side_mm)), interpolation=cv2.INTER_NEAREST
    )
    gray = blank_of(form)
    x, y = px(15), px(165)
    gray[y - 30 : y + px(side_mm) + 30, x - 30 : x + px(side_mm) + 30] = 255
    gray[y : y + px(side_mm), x : x + px(side_mm)] = printed
    put_blank(form, gray)
    page = form.pages[0].model_copy(update={"code": encode_code(wanted)})
    return changed(form, pages=(page,))


def check_alone(form: Form) -> list[Finding]:
    return check_forms([form], [form])[form.id]


def test_a_code_of_ten_millimetres_is_good(form: Form) -> None:
    assert check_alone(with_code(form, 10.5)) == []


def test_a_smaller_code_is_named_with_its_size(form: Form) -> None:
    assert "only 8.0 mm wide" in only(check_alone(with_code(form, 8.0))).message


def test_a_code_that_cannot_be_read_is_named(form: Form) -> None:
    coded = with_code(form, 10.5)
    gray = blank_of(coded)
    gray[px(168) : px(172), px(10) : px(40)] = 0
    put_blank(coded, gray)
    assert "cannot be read" in only(check_alone(read_form(coded.folder))).message


def test_a_code_of_another_form_is_a_fault(form: Form) -> None:
    finding = only(check_alone(with_code(form, 10.5, PageCode("other", 1))))
    assert finding.severity is Severity.FAULT
    assert "page 1 of form other" in finding.message


# --- look-alikes --------------------------------------------------------------------------------


def test_the_same_form_twice_cannot_be_told_apart(tmp_path: Path) -> None:
    forms = [make_small_form(tmp_path, name) for name in ("a", "b")]
    found = check_likeness(forms)
    for name, other in (("a", "b"), ("b", "a")):
        finding = only(found[name])
        assert finding.severity is Severity.FAULT
        assert f"cannot be told from page 1 of form {other}" in finding.message


def test_forms_that_differ_in_one_word_are_named_with_the_place(tmp_path: Path) -> None:
    same = "Survey of the people in the "
    forms = [
        make_small_form(tmp_path, name, heading=same + word)
        for name, word in (("a", "north"), ("b", "WEST"))
    ]
    (likeness,) = find_likenesses(forms)
    assert (likeness.form, likeness.page, likeness.other_form, likeness.other_page) == (
        *("a", 1, "b", 1),
    )
    begin_mm = 12 + cv2.getTextSize(same, cv2.FONT_HERSHEY_COMPLEX, 0.9, 1)[0][0] / PX_PER_MM
    for place in likeness.places:
        assert begin_mm - 2 < place.x < place.right < begin_mm + 20
        assert 15 < place.y < place.bottom < 22
    finding = only(check_likeness(forms)["b"])
    assert finding.severity is Severity.WARNING
    x, y = likeness.places[0].center
    assert f"{x:.0f} mm from the left and {y:.0f} mm from the top" in finding.message


def test_forms_that_differ_by_less_than_a_scan_shows_count_as_the_same(tmp_path: Path) -> None:
    forms = [
        make_small_form(tmp_path, name, heading=f"Survey of the people of ward {name}")
        for name in ("3", "8")
    ]
    assert {one.severity for found in check_likeness(forms).values() for one in found} == {
        Severity.FAULT
    }


def test_codes_tell_alike_forms_apart(tmp_path: Path) -> None:
    forms = [with_code(make_small_form(tmp_path, name), 10.5) for name in ("a", "b")]
    assert check_likeness(forms) == {"a": [], "b": []}


def test_forms_of_other_print_are_not_alike(tmp_path: Path) -> None:
    forms = [
        make_small_form(tmp_path, "a"),
        make_small_form(tmp_path, "b", [Asked("p1", 2), Asked("p2", 2)], heading="Phone list"),
    ]
    gray = default_rng(1).integers(0, 2, (60, 40)).astype(np.uint8) * 255
    large = cv2.resize(gray, blank_of(forms[1]).shape[::-1]).astype(np.uint8)
    put_blank(forms[1], large)
    assert find_likenesses(forms) == []
    assert FEW_PLACES < 24


def test_a_form_is_compared_with_all_of_its_folder(tmp_path: Path) -> None:
    one, other = (make_small_form(tmp_path, name) for name in ("a", "b"))
    assert set(check_forms([one], [one, other])) == {"a"}
    assert any("form b" in finding.message for finding in check_forms([one], [one, other])["a"])
    other.blank_path(other.pages[0]).write_bytes(b"")
    assert check_forms([one], [one, other])["a"] == []
