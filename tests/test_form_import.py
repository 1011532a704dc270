"""A blank and a list of targets become a form: every kind of list, and every fault by its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from scanner.errors import FormError, StorageError, UnreadableFileError
from scanner.forms.catalog import list_forms
from scanner.forms.health import Severity, check_form
from scanner.forms.importing import ImportedForm, ImportRequest, import_forms
from scanner.forms.picture import draw_form, encode_png, load_blank
from scanner.forms.template import Form, read_form, write_form
from scanner.reading.pages import close_files, load_blanks

DPI = 200
PX_PER_MM = DPI / 25.4
BOXES_MM = {"yes": (20.0, 40.0, 5.0, 5.0), "no": (20.0, 52.0, 5.0, 5.0)}


def px(mm: float) -> int:
    return round(mm * PX_PER_MM)


def draw_blank(*, filled: bool = False) -> NDArray[np.uint8]:
    """A5 with a line of print, two boxes and some text-like strokes."""
    page = np.full((px(210), px(148)), 255, np.uint8)
    for row in range(10):
        y_mm = 75 + 10 * row
        for column in range(24):
            x_mm = 15 + 5 * column
            cv2.line(page, (px(x_mm), px(y_mm)), (px(x_mm + 3), px(y_mm - 2)), 0, 2)
    for x, y, w, h in BOXES_MM.values():
        corners = (px(x), px(y)), (px(x + w), px(y + h))
        cv2.rectangle(page, *corners, 0, cv2.FILLED if filled else 2)
    return page


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    path = tmp_path / "blank.png"
    Image.fromarray(draw_blank()).save(path, dpi=(DPI, DPI))
    return path


def options_in(unit: str) -> list[dict[str, Any]]:
    scale = PX_PER_MM if unit == "px" else 1.0
    return [
        {"id": name, "label": name.title()}
        | dict(zip("xywh", (value * scale for value in box), strict=True))
        for name, box in BOXES_MM.items()
    ]


def json_list(unit: str = "mm", **changes: Any) -> dict[str, Any]:
    contest = {"id": "q1", "title": "Đồng ý không?", "max": 1, "options": options_in(unit)}
    return {"unit": unit, "contests": [contest]} | changes


def write_json(tmp_path: Path, data: dict[str, Any]) -> Path:
    path = tmp_path / "targets.json"
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return path


def run_import(targets: Path, tmp_path: Path, *blanks: Path, **options: Any) -> list[ImportedForm]:
    options.setdefault("form_id", "khao-sat")
    request = ImportRequest(targets, tmp_path / "forms", blanks=blanks, **options)
    try:
        return import_forms(request, load_blanks)
    finally:
        close_files()


def nothing_was_left(tmp_path: Path) -> bool:
    folder = tmp_path / "forms"
    return not folder.exists() or not list(folder.iterdir())


def assert_is_the_form(form: Form) -> None:
    (contest,) = form.contests
    assert (contest.id, contest.title, contest.max) == ("q1", "Đồng ý không?", 1)
    for option in contest.options:
        wanted = BOXES_MM[option.id]
        assert (option.x, option.y, option.w, option.h) == pytest.approx(wanted, abs=0.001)
        assert option.label == option.id.title()


@pytest.mark.parametrize("unit", ["px", "mm"])
def test_a_json_list_becomes_a_form_in_millimetres(tmp_path: Path, blank: Path, unit: str) -> None:
    (imported,) = run_import(write_json(tmp_path, json_list(unit)), tmp_path, blank)
    assert_is_the_form(imported.form)
    assert imported.notes == ()
    page = imported.form.pages[0]
    assert (page.width_mm, page.height_mm) == pytest.approx((148, 210), abs=0.1)
    np.testing.assert_array_equal(load_blank(imported.form, page), draw_blank())
    assert [form.id for form in list_forms(tmp_path / "forms")] == ["khao-sat"]


@pytest.mark.parametrize(
    ("delimiter", "comma", "encoding"),
    [(",", ".", "utf-8"), (";", ".", "utf-8-sig"), (";", ",", "utf-8-sig"), ("\t", ",", "utf-8")],
)
@pytest.mark.parametrize("unit", ["px", "mm"])
def test_a_csv_list_from_any_spreadsheet_becomes_the_same_form(
    tmp_path: Path, blank: Path, delimiter: str, comma: str, encoding: str, unit: str
) -> None:
    suffix = "_mm" if unit == "mm" else ""
    lines = [
        ["contest", "contest_title", "max", "option", "label", *(f"{n}{suffix}" for n in "xywh")]
    ]
    for option in options_in(unit):
        place = [f"{option[name]:.4f}".replace(".", comma) for name in "xywh"]
        lines.append(["q1", "Đồng ý không?", "1", option["id"], option["label"], *place])
    path = tmp_path / "targets.csv"
    path.write_text("\n".join(delimiter.join(line) for line in lines), encoding=encoding)
    (imported,) = run_import(path, tmp_path, blank)
    assert_is_the_form(imported.form)


def case(pages: int = 1, first: int = 1) -> dict[str, Any]:
    targets = [
        {"id": f"q1/{name}", "contest": "q1", "option": name, "label": name, "shape": "oval"}
        | dict(zip("xywh", (px(value) for value in box), strict=True))
        for name, box in BOXES_MM.items()
    ]
    height, width = draw_blank().shape
    template_pages = [
        {"page": number, "blank": "blank.png", "width": width, "height": height}
        | {"targets": targets if number == first else []}
        for number in range(first, first + pages)
    ]
    contests = [{"id": "q1", "title": "T", "max": 2}]
    template = {"id": "mẫu a", "contests": contests, "pages": template_pages}
    return {"dpi": 300, "templates": [template, template | {"id": "mau-b", "blank_dpi": 100}]}


def test_every_template_of_a_test_case_becomes_a_form(tmp_path: Path, blank: Path) -> None:
    assert blank.exists()
    path = write_json(tmp_path, case(pages=2, first=3))
    forms = [made.form for made in run_import(path, tmp_path, form_id=None)]
    assert [form.id for form in forms] == ["m-u-a", "mau-b"]
    assert [page.number for page in forms[0].pages] == [3, 4]
    assert len(forms[0].targets_on(3)) == 2
    assert forms[0].targets_on(4) == []
    assert forms[0].contests[0].max == 2
    # The blank's 200 dpi go before the case's 300, and the template's own 100 before both.
    assert [form.pages[0].width_mm for form in forms] == pytest.approx([148, 296], abs=0.2)


def test_ids_are_put_before_the_templates_own_or_in_place_of_a_single_one(
    tmp_path: Path, blank: Path
) -> None:
    path = write_json(tmp_path, case())
    both = run_import(path, tmp_path, form_id="x")
    one = run_import(path, tmp_path, blank, form_id="y", template="mau-b")
    assert [made.form.id for made in both + one] == ["x-m-u-a", "x-mau-b", "y"]


def test_the_resolution_asked_for_goes_before_every_other(tmp_path: Path, blank: Path) -> None:
    path = write_json(tmp_path, case())
    (made,) = run_import(path, tmp_path, blank, template="mau-b", dpi=400)
    assert made.form.pages[0].width_mm == pytest.approx(74, abs=0.1)


def test_a_resolution_that_nobody_states_is_guessed_aloud(tmp_path: Path) -> None:
    path = tmp_path / "blank.png"
    Image.fromarray(draw_blank()).save(path, dpi=(72, 72))
    (made,) = run_import(write_json(tmp_path, json_list()), tmp_path, path)
    assert made.form.pages[0].width_mm == pytest.approx(210, abs=1)
    assert "A4" in made.notes[0]


@pytest.mark.parametrize("suffix", ["pdf", "tif", "jpg"])
def test_a_blank_of_several_pages_may_be_of_any_kind(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"blank.{suffix}"
    image = Image.fromarray(draw_blank())
    if suffix == "jpg":
        image.save(path, dpi=(DPI, DPI))
    elif suffix == "tif":
        image.save(path, save_all=True, append_images=[image], dpi=(DPI, DPI))
    else:
        image.save(path, save_all=True, append_images=[image], resolution=DPI)
    (made,) = run_import(write_json(tmp_path, json_list()), tmp_path, path)
    assert len(made.form.pages) == (1 if suffix == "jpg" else 2)
    assert made.form.pages[0].width_mm == pytest.approx(148, abs=0.2)
    assert check_form(made.form) == []


def broken(**changes: Any) -> dict[str, Any]:
    data = json_list()
    data["contests"][0]["options"][1] |= changes
    return data


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (broken(x="abc"), ["contest q1, option 2", "'x'", "not a number"]),
        (broken(w=0), ["contest q1, option 2", "'w'", "more than 0"]),
        (broken(y=float("nan")), ["option 2", "'y'"]),
        (broken(shape="star"), ["option 2", "'shape'", "star"]),
        (broken(page=2), ["option 2", "'page'", "2"]),
        (broken(page=1.5), ["option 2", "'page'", "whole"]),
        (broken(id=""), ["option 2", "'id'", "missing"]),
        (broken(id="yes"), ["yes", "twice"]),
        (broken(x=500), ["q1/no", "outside"]),
        (json_list(unit="cm"), ["'unit'", "cm"]),
        (json_list(contests={}), ["'contests'", "list"]),
        (case() | {"templates": []}, ["no templates"]),
    ],
)
def test_a_faulty_list_is_refused_by_row_and_field_and_leaves_nothing(
    tmp_path: Path, blank: Path, data: dict[str, Any], parts: list[str]
) -> None:
    with pytest.raises(FormError) as caught:
        run_import(write_json(tmp_path, data), tmp_path, blank)
    assert [part for part in parts if part not in caught.value.message] == []
    assert caught.value.path == tmp_path / "targets.json"
    assert nothing_was_left(tmp_path)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("contest,option,x,y,w\n", ["Line 1", "'h'", "missing"]),
        ("contest,option,x,y,w,h,colour\n", ["Line 1", "'colour'", "not known"]),
        ("contest,option,x,y,w,h\nq,a,1,1,1,1\nq,b,1,1,one,1\n", ["line 3", "'w'", "one"]),
        ("contest,option,x,y,w,h\nq,a,1,1,1\n", ["Line 2", "5", "6"]),
        ("contest,option,max,x,y,w,h\nq,a,1,1,1,1,1\nq,b,2,1,1,1,1\n", ["line 3", "'max'"]),
        ("contest,option,x,y,w,h\n,a,1,1,1,1\n", ["line 2", "'contest'", "missing"]),
        ('{"contests": [}', ["Line 1, column 15", "JSON"]),
        ("", ["Line 1", "missing"]),
    ],
)
def test_a_faulty_table_is_refused_by_line_and_column(
    tmp_path: Path, blank: Path, text: str, parts: list[str]
) -> None:
    path = tmp_path / "targets.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormError) as caught:
        run_import(path, tmp_path, blank)
    assert [part for part in parts if part not in caught.value.message] == []
    assert caught.value.remedy
    assert nothing_was_left(tmp_path)


def test_a_blank_of_another_size_than_the_list_means_is_refused(tmp_path: Path) -> None:
    Image.fromarray(draw_blank()[:-1]).save(tmp_path / "blank.png")
    with pytest.raises(FormError, match="1165 × 1654"):
        run_import(write_json(tmp_path, case()), tmp_path)
    assert nothing_was_left(tmp_path)


@pytest.mark.parametrize("form_id", ["a/b", "..", "", None, "x" * 65, "phiếu"])
def test_an_id_that_could_leave_the_folder_is_refused(
    tmp_path: Path, blank: Path, form_id: str | None
) -> None:
    with pytest.raises(FormError):
        run_import(write_json(tmp_path, json_list()), tmp_path, blank, form_id=form_id)
    assert nothing_was_left(tmp_path)


def test_a_form_is_replaced_only_when_that_is_asked_for(tmp_path: Path, blank: Path) -> None:
    path = write_json(tmp_path, json_list())
    run_import(path, tmp_path, blank, title="first")
    with pytest.raises(FormError, match="already"):
        run_import(path, tmp_path, blank, title="second")
    assert read_form(tmp_path / "forms" / "khao-sat").title == "first"
    run_import(path, tmp_path, blank, title="third", replace=True)
    assert read_form(tmp_path / "forms" / "khao-sat").title == "third"
    assert [entry.name for entry in (tmp_path / "forms").iterdir()] == ["khao-sat"]


def test_a_failed_import_leaves_the_former_form_as_it_was(tmp_path: Path, blank: Path) -> None:
    run_import(write_json(tmp_path, json_list()), tmp_path, blank)
    before = read_form(tmp_path / "forms" / "khao-sat").content_hash
    blank.write_bytes(b"no picture")
    with pytest.raises(UnreadableFileError):
        run_import(tmp_path / "targets.json", tmp_path, blank, replace=True)
    assert read_form(tmp_path / "forms" / "khao-sat").content_hash == before
    assert [entry.name for entry in (tmp_path / "forms").iterdir()] == ["khao-sat"]


def test_a_form_that_cannot_be_moved_into_place_is_put_back(
    tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_json(tmp_path, json_list())
    run_import(path, tmp_path, blank, title="first")
    rename = Path.rename

    def rename_unless_new(self: Path, target: Path) -> Path:
        if self.name == "khao-sat" and self.parent.name.startswith(".unfinished"):
            raise PermissionError(13, "in use")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", rename_unless_new)
    with pytest.raises(StorageError, match="in use"):
        run_import(path, tmp_path, blank, title="second", replace=True)
    assert read_form(tmp_path / "forms" / "khao-sat").title == "first"


# --- the overlay and the check ------------------------------------------------------------------


@pytest.fixture
def form(tmp_path: Path, blank: Path) -> Form:
    return run_import(write_json(tmp_path, json_list()), tmp_path, blank)[0].form


def test_the_overlay_frames_each_target_and_nothing_else(form: Form) -> None:
    picture = draw_form(form, form.pages[0])
    coloured = (picture.max(axis=2).astype(int) - picture.min(axis=2)) > 60
    around = np.zeros_like(coloured)
    for x, y, w, h in BOXES_MM.values():
        area = slice(px(y - 1), px(y + h + 1)), slice(px(x - 1), px(x + w + 1))
        around[area] = True
        assert coloured[area].sum() > 100
    assert not (coloured & ~around).any()
    decoded = cv2.imdecode(np.frombuffer(encode_png(picture), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(decoded, picture)


def changed(form: Form, **options: Any) -> Form:
    """The same form with fields of its second option changed."""
    data = form.model_dump(by_alias=True, mode="json")
    data["contests"][0]["options"][1] |= options
    write_form(Form.model_validate(data), form.folder)
    return read_form(form.folder)


def test_a_sound_form_has_no_findings(form: Form) -> None:
    assert check_form(form) == []


@pytest.mark.parametrize(
    ("options", "severity", "words"),
    [
        ({"y": 42.0}, Severity.FAULT, "overlap"),
        ({"x": 2.0}, Severity.WARNING, "5 mm"),
        ({"w": 1.5}, Severity.WARNING, "2.5 mm"),
        ({"y": 54.5}, Severity.WARNING, "outline"),
        ({"label": ""}, Severity.WARNING, "label"),
    ],
)
def test_a_target_out_of_order_is_found(
    form: Form, options: dict[str, Any], severity: Severity, words: str
) -> None:
    found = [
        finding for finding in check_form(changed(form, **options)) if words in finding.message
    ]
    assert [finding.severity for finding in found] == [severity]
    assert "q1/no" in found[0].message
    assert found[0].remedy


def put_blank(form: Form, gray: NDArray[np.uint8]) -> None:
    Image.fromarray(gray).save(form.blank_path(form.pages[0]))


def test_a_filled_copy_as_the_blank_is_found(form: Form) -> None:
    put_blank(form, draw_blank(filled=True))
    (finding,) = check_form(form)
    assert (finding.severity, finding.page) == (Severity.FAULT, 1)
    assert "dark on the blank" in finding.message


def test_a_blank_that_is_unfit_is_found(form: Form) -> None:
    put_blank(form, draw_blank()[:-100])
    assert "proportions" in check_form(form)[0].message
    put_blank(form, cv2.resize(draw_blank(), None, fx=0.4, fy=0.4).astype(np.uint8))
    assert "80 dpi" in check_form(form)[0].message
    put_blank(form, np.full_like(draw_blank(), 255))
    assert "little print" in check_form(form)[0].message
    form.blank_path(form.pages[0]).write_bytes(b"")
    assert check_form(form)[0].severity is Severity.FAULT
