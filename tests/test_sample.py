from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pikepdf
import pytest
from numpy.typing import NDArray

from scanner.errors import BadArgumentsError, FormError, StorageError, UnreadableFileError
from scanner.forms.sample import (
    EXPECTED_FILE,
    RECIPE_FILE,
    SCAN_FILE,
    Recipe,
    cast_votes,
    draw_pile,
    draw_sample,
    draw_sheet,
    pack_scans,
    read_recipe,
    rearrange_scan,
)
from scanner.forms.template import Form, read_form
from tests.synthetic import draw_small_form

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "samples" / "so_xay_dung_2023"


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return draw_small_form(tmp_path_factory.mktemp("forms"))


@pytest.fixture(scope="module")
def shipped_form() -> Form:
    return read_form(ROOT / "form_templates" / "sxd_5muc")


def write_recipe(folder: Path, text: str) -> Path:
    (folder / RECIPE_FILE).write_text(text, encoding="utf-8")
    return folder


SMALL = """
form: small
sheets: 5
seed: 4
dpi: 100
tally:
  q1: [2, 3, 0]
  q2: [0, 1, 1]
writing:
  - {page: 1, x: 20, y: 150, w: 100, h: 6, share: 1}
"""


def picture_of(pdf: pikepdf.Pdf, index: int) -> NDArray[np.uint8]:
    data = pdf.pages[index].resources["/XObject"]["/Im0"].read_raw_bytes()
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return np.asarray(picture, dtype=np.uint8)


def test_the_votes_cast_are_those_of_the_recipe(tmp_path: Path, form: Form) -> None:
    truth = cast_votes(read_recipe(write_recipe(tmp_path, SMALL)), form)
    assert [truth.votes("q1", option) for option in ("o1", "o2", "o3")] == [2, 3, 0]
    assert [truth.votes("q2", option) for option in ("o1", "o2", "o3")] == [0, 1, 1]
    assert (truth.blanks("q1"), truth.blanks("q2")) == (0, 3)
    assert len(truth.sheets) == 5


def test_a_sheet_is_marked_where_its_voter_chose_and_nowhere_else(
    tmp_path: Path, form: Form
) -> None:
    recipe = read_recipe(write_recipe(tmp_path, SMALL))
    for index in range(8):
        (empty,) = draw_sheet(recipe, form, {}, index)
        (voted,) = draw_sheet(recipe, form, {"q1": ("o2",)}, index)
        dark = {}
        for contest, option in form.targets():
            box = option.box.grown(-1.0).scaled(100 / 25.4, 100 / 25.4)
            x, y = round(box.x), round(box.y)
            cut = (slice(y - 8, y + 20), slice(x - 8, x + 20))
            dark[contest.id, option.id] = float(empty[cut].mean()) - float(voted[cut].mean())
        assert max(dark, key=lambda key: dark[key]) == ("q1", "o2")
        assert dark["q1", "o2"] > 3


def test_the_pile_is_one_pdf_with_a_jpeg_a_page_of_paper_size(tmp_path: Path, form: Form) -> None:
    write_recipe(tmp_path, SMALL)
    draw_sample(tmp_path, form, tmp_path / "a.pdf")
    with pikepdf.open(tmp_path / "a.pdf") as pdf:
        assert len(pdf.pages) == 5
        width, height = (float(side) / 72 * 25.4 for side in pdf.pages[0].mediabox[2:])
        assert abs(width - 148) < 0.3
        assert abs(height - 210) < 0.3
        image = pdf.pages[0].resources["/XObject"]["/Im0"]
        assert image.Filter == pikepdf.Name.DCTDecode
        assert picture_of(pdf, 0).shape == (int(image.Height), int(image.Width))


def test_the_same_recipe_gives_the_same_file(tmp_path: Path, form: Form) -> None:
    write_recipe(tmp_path, SMALL)
    first = draw_sample(tmp_path, form, tmp_path / "a.pdf")
    second = draw_sample(tmp_path, form, tmp_path / "b.pdf")
    assert first == second
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    write_recipe(tmp_path, SMALL.replace("seed: 4", "seed: 5"))
    draw_sample(tmp_path, form, tmp_path / "c.pdf")
    assert (tmp_path / "a.pdf").read_bytes() != (tmp_path / "c.pdf").read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "form: small\nsheets: 5\ntally: {q1: [3, 3, 0]}",
        "form: small\nsheets: 5\ntally: {q1: [-1, 3, 0]}",
        "form: small\nsheets: 0\ntally: {}",
        "form: small\nsheets: 5\ntally: {}\ncolour: red",
        "[",
    ],
)
def test_a_recipe_that_cannot_be_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        read_recipe(write_recipe(tmp_path, text))
    assert caught.value.path == tmp_path / RECIPE_FILE


def test_a_missing_recipe_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError):
        read_recipe(tmp_path)


@pytest.mark.parametrize(
    ("name", "tally"), [("other", {}), ("small", {"q9": (1,)}), ("small", {"q1": (1, 1)})]
)
def test_a_recipe_for_another_form_is_refused(
    form: Form, name: str, tally: dict[str, tuple[int, ...]]
) -> None:
    with pytest.raises(FormError):
        cast_votes(Recipe(form=name, sheets=3, tally=tally), form)


def test_a_pile_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        pack_scans(tmp_path / "missing" / "a.pdf", [], dpi=200)


def test_the_shipped_recipe_casts_the_expected_votes(shipped_form: Form) -> None:
    expected = json.loads((SHIPPED / EXPECTED_FILE).read_text(encoding="utf-8"))
    truth = cast_votes(read_recipe(SHIPPED), shipped_form)
    assert len(truth.sheets) == expected["sheets"] == 38
    assert set(expected["contests"]) == {contest.id for contest in shipped_form.contests}
    for name, figures in expected["contests"].items():
        assert {o: truth.votes(name, o) for o in figures["options"]} == figures["options"]
        assert truth.blanks(name) == figures["blank"]


def test_the_published_figures_are_those_expected() -> None:
    expected = json.loads((SHIPPED / EXPECTED_FILE).read_text(encoding="utf-8"))
    published = {
        (row["contest"], row["option"]): (row["count"], row["percent"])
        for row in expected["published"]
    }
    assert published["q1_1", "o1"] == (23, 61)
    assert published["q1_2", "o1"] == (19, 50)
    assert published["q5", "o1"] == (6, 16)
    assert published["q5", "o2"] == (29, 76)
    assert published["q5", "o3"] == (3, 8)
    for (contest, option), (count, percent) in published.items():
        assert expected["contests"][contest]["options"][option] == count
        assert int(100 * count / 38 + 0.5) == percent


def test_the_shipped_scan_is_what_its_recipe_draws(shipped_form: Form) -> None:
    recipe = read_recipe(SHIPPED)
    truth = cast_votes(recipe, shipped_form)
    with pikepdf.open(SHIPPED / SCAN_FILE) as pdf:
        assert len(pdf.pages) == 76
        for sheet in (0, 37):
            sides = draw_sheet(recipe, shipped_form, truth.sheets[sheet], sheet)
            for side, drawn in enumerate(sides):
                shipped = picture_of(pdf, 2 * sheet + side)
                assert shipped.shape == drawn.shape
                assert np.abs(shipped.astype(int) - drawn).mean() < 4


def test_a_spoilt_copy_has_the_pages_it_was_told_to_have(tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt.pdf"
    rearrange_scan(SHIPPED / SCAN_FILE, spoilt, [1, 4, 2, 2], upside_down=[4])
    with pikepdf.open(SHIPPED / SCAN_FILE) as old, pikepdf.open(spoilt) as new:
        assert len(new.pages) == 4
        assert np.array_equal(picture_of(new, 0), picture_of(old, 0))
        assert np.array_equal(picture_of(new, 2), picture_of(new, 3))
        assert np.array_equal(picture_of(new, 2), picture_of(old, 1))
        turned = np.rot90(picture_of(old, 3), 2)
        assert np.abs(picture_of(new, 1).astype(int) - turned).mean() < 2
        assert np.allclose(
            [float(side) for side in new.pages[0].mediabox],
            [float(side) for side in old.pages[0].mediabox],
            atol=0.01,
        )


def test_a_spoilt_copy_of_a_page_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArgumentsError):
        rearrange_scan(SHIPPED / SCAN_FILE, tmp_path / "x.pdf", [1, 77])


def test_several_processes_draw_the_same_file(form: Form, tmp_path: Path) -> None:
    recipe = read_recipe(write_recipe(tmp_path, SMALL))
    draw_pile(recipe, form, tmp_path / "one.pdf")
    draw_pile(recipe, form, tmp_path / "two.pdf", jobs=2)
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()


def test_blank_and_foreign_papers_lie_among_the_others(
    form: Form, shipped_form: Form, tmp_path: Path
) -> None:
    more = SMALL + "blank_sheets: 2\nforeign: sxd_5muc\nforeign_sheets: 1\novervotes: {q2: 1}\n"
    recipe = read_recipe(write_recipe(tmp_path, more))
    truth = draw_pile(recipe, form, tmp_path / "pile.pdf", foreign=shipped_form)
    assert len(truth.sheets) == recipe.papers == 8
    assert len(truth.foreign) == 1
    assert sum(len(sheet["q2"]) == 2 for sheet in truth.sheets) == 1
    assert truth.votes("q1", "o1") == cast_votes(recipe, form).votes("q1", "o1")
    with pikepdf.open(tmp_path / "pile.pdf") as pdf:
        # The foreign paper has two sides, the others one.
        assert len(pdf.pages) == 9


def test_a_pile_with_foreign_papers_needs_their_form(form: Form, tmp_path: Path) -> None:
    recipe = read_recipe(write_recipe(tmp_path, SMALL + "foreign: other\nforeign_sheets: 1\n"))
    with pytest.raises(FormError, match="other"):
        draw_pile(recipe, form, tmp_path / "pile.pdf")
