"""OMRChecker's templates: blocks become grids of targets, and faults are named by their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scanner.errors import FormError
from scanner.forms.importing import ImportedForm, ImportRequest, import_forms
from scanner.forms.omrchecker import is_omr_template, read_omr_template
from scanner.reading.pages import close_files, load_blanks

HERE = Path("template.json")


def template(**changes: Any) -> dict[str, Any]:
    block = {
        "fieldType": "QTYPE_MCQ4",
        "origin": [100, 200],
        "fieldLabels": ["q1..3"],
        "bubblesGap": 30,
        "labelsGap": 25.5,
        "emptyValue": "-",
    }
    data = {"pageDimensions": [600, 800], "bubbleDimensions": [20, 18], "fieldBlocks": {"A": block}}
    return data | changes


def with_block(**changes: Any) -> dict[str, Any]:
    block = {"fieldType": "QTYPE_MCQ4", "origin": [100, 200], "fieldLabels": ["q1"]}
    return template(fieldBlocks={"A": block | {"bubblesGap": 30, "labelsGap": 25} | changes})


def boxes(data: dict[str, Any]) -> dict[str, dict[str, tuple[float, float, float, float]]]:
    return {
        field.name: {b.value: (b.box.x, b.box.y, b.box.w, b.box.h) for b in field.bubbles}
        for field in read_omr_template(data, HERE).fields
    }


def test_a_block_of_questions_runs_down_with_its_values_across() -> None:
    read = boxes(template())
    assert list(read) == ["q1", "q2", "q3"]
    assert list(read["q1"]) == ["A", "B", "C", "D"]
    assert read["q1"]["A"] == (100, 200, 20, 18)
    assert read["q1"]["D"] == (190, 200, 20, 18)
    assert read["q3"]["B"] == (130, 251, 20, 18)


def test_the_digits_of_a_number_run_down_with_their_places_across() -> None:
    read = boxes(with_block(fieldType="QTYPE_INT", fieldLabels=["roll1...3"]))
    assert list(read) == ["roll1", "roll2", "roll3"]
    assert read["roll1"]["9"] == (100, 470, 20, 18)
    assert read["roll3"]["0"] == (150, 200, 20, 18)


def test_a_number_that_starts_at_one_ends_with_nought() -> None:
    assert list(boxes(with_block(fieldType="QTYPE_INT_FROM_1"))["q1"]) == [*"123456789", "0"]


def test_values_direction_and_size_of_a_block_go_before_those_of_its_type() -> None:
    block = {
        "bubbleValues": ["Có", "Không"],
        "direction": "horizontal",
        "bubbleDimensions": [40, 10],
        "origin": [10, 20],
        "fieldLabels": ["q1", "q7"],
        "bubblesGap": 50,
        "labelsGap": 12,
    }
    read = boxes(template(fieldBlocks={"A": block}))
    assert read["q7"] == {"Có": (10, 32, 40, 10), "Không": (60, 32, 40, 10)}


def test_the_names_of_the_later_format_mean_the_same() -> None:
    later = template(
        customBubbleFieldTypes={
            "CUSTOM_YES": {"bubbleValues": ["Y", "N"], "direction": "horizontal"}
        },
        fieldBlocks={
            "A": {
                "fieldDetectionType": "BUBBLES_THRESHOLD",
                "bubbleFieldType": "CUSTOM_YES",
                "origin": [100, 200],
                "fieldLabels": ["q1"],
                "bubblesGap": 30,
                "labelsGap": 0,
            }
        },
    )
    later["templateDimensions"] = later.pop("pageDimensions")
    assert is_omr_template(later)
    assert boxes(later) == {"q1": {"Y": (100, 200, 20, 18), "N": (130, 200, 20, 18)}}


def test_a_field_is_named_with_the_whole_that_it_is_a_part_of() -> None:
    data = template(customLabels={"Mã phiếu": ["q1..2"]})
    titles = [field.title for field in read_omr_template(data, HERE).fields]
    assert titles == ["Mã phiếu: q1", "Mã phiếu: q2", "q3"]


def test_it_is_said_that_cropping_is_not_carried_out() -> None:
    steps = [{"name": "GaussianBlur"}, {"name": "CropOnMarkers", "options": {}}]
    (note,) = read_omr_template(template(preProcessors=steps), HERE).notes
    assert "CropOnMarkers" in note
    assert "cropped in the same way" in note
    assert read_omr_template(template(), HERE).notes == ()


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (with_block(fieldType="QTYPE_XYZ"), ("block 'A'", "fieldType", "QTYPE_MCQ4")),
        (with_block(origin=[1]), ("block 'A'", "origin", "two numbers")),
        (with_block(bubblesGap=None), ("block 'A'", "bubblesGap", "a number")),
        (with_block(fieldLabels=[]), ("block 'A'", "fieldLabels", "list of names")),
        (with_block(fieldLabels=["q4..1"]), ("block 'A'", "fieldLabels", "range")),
        (with_block(fieldLabels=["q1", "q1"]), ("fieldBlocks", "fieldLabels", "twice")),
        (with_block(origin=[590, 10]), ("block 'A'", "origin", "outside the page")),
        (with_block(direction="diagonal"), ("block 'A'", "direction", "vertical")),
        (template(bubbleDimensions=[0, 4]), ("block 'A'", "bubbleDimensions", "more than 0")),
        (template(fieldBlocks={}), ("template.json", "fieldBlocks", "object")),
        (template(customLabels={"a": "q1"}), ("customLabels", "a", "list of names")),
    ],
)
def test_a_fault_is_named_by_block_and_field(data: dict[str, Any], named: tuple[str, ...]) -> None:
    with pytest.raises(FormError) as caught:
        read_omr_template(data, HERE)
    for part in named:
        assert part in caught.value.message
    assert caught.value.remedy


def test_other_lists_are_not_taken_for_a_template() -> None:
    assert not is_omr_template({"unit": "px", "contests": []})
    assert not is_omr_template({"fieldBlocks": {}})


def run_import(tmp_path: Path, data: dict[str, Any], size: tuple[int, int]) -> ImportedForm:
    path, blank = tmp_path / "template.json", tmp_path / "blank.png"
    path.write_text(json.dumps(data), encoding="utf-8")
    Image.fromarray(np.full(size[::-1], 255, np.uint8)).save(blank, dpi=(200, 200))
    request = ImportRequest(path, tmp_path / "forms", form_id="omr", blanks=(blank,))
    try:
        (made,) = import_forms(request, load_blanks)
    finally:
        close_files()
    return made


def test_a_template_becomes_a_form_scaled_to_its_blank(tmp_path: Path) -> None:
    made = run_import(tmp_path, template(), (1200, 1600))
    assert [contest.id for contest in made.form.contests] == ["q1", "q2", "q3"]
    option = made.form.contests[2].options[1]
    px = 25.4 / 200
    assert (option.id, option.label, option.shape) == ("B", "B", "circle")
    assert (option.x, option.y, option.w, option.h) == pytest.approx(
        (260 * px, 502 * px, 40 * px, 36 * px), abs=0.001
    )
    assert made.notes == ()


def test_a_blank_of_other_proportions_is_said(tmp_path: Path) -> None:
    made = run_import(tmp_path, template(), (1200, 1500))
    assert "other proportions" in made.notes[0]
    option = made.form.contests[0].options[0]
    assert (option.x, option.y) == pytest.approx((200 * 25.4 / 200, 375 * 25.4 / 200), abs=0.001)
