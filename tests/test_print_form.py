"""A form is printed whole or not at all; its copies carry their numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest
from numpy.typing import NDArray

from scanner.ballot import MarkState, PageReading
from scanner.errors import BadArgumentsError, FormError, StorageError
from scanner.forms import layout
from scanner.forms.codes import CODE_MM, PageCode, code_side_mm, draw_code, encode_code
from scanner.forms.layout import BLANK_PDF, COPIES_PDF, print_form
from scanner.forms.pen import MarkKind, MarkStyle, Pen, draw_mark
from scanner.forms.picture import load_blank
from scanner.forms.questions import QUESTIONS_FILE
from scanner.forms.template import Form, read_form, write_form
from scanner.reading.codes import find_code_box, read_page_code
from scanner.reading.interpret import Reader
from tests.synthetic import as_page, scan_like

DESCRIPTION = """\
schema: 1
id: club
title: Election
language: en
header: none
code: true
heading: ELECTION
blocks:
- {kind: instruction}
- kind: question
  id: q1
  text: Who?
  options: [{id: a, label: Ann}, {id: b, label: Ben}]
- kind: page_break
- kind: question
  id: q2
  text: When?
  options: [{id: a, label: Now}, {id: b, label: Then}]
"""


def described(folder: Path, text: str = DESCRIPTION) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def pages_of(path: Path) -> list[NDArray[np.uint8]]:
    document = pdfium.PdfDocument(path)
    try:
        return [
            np.ascontiguousarray(page.render(scale=200 / 72, grayscale=True).to_numpy().squeeze())
            for page in document
        ]
    finally:
        document.close()


def test_a_printed_form_lies_among_the_forms_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    source = described(tmp_path / "desk")
    form = print_form(source, tmp_path / "forms")
    assert form.folder == tmp_path / "forms" / "club"
    assert sorted(path.name for path in form.folder.iterdir()) == [
        BLANK_PDF,
        "form.yaml",
        "page-1.png",
        "page-2.png",
        QUESTIONS_FILE,
    ]
    assert (form.folder / QUESTIONS_FILE).read_bytes() == source.read_bytes()
    assert [path.name for path in (tmp_path / "forms").iterdir()] == ["club"]
    assert read_form(form.folder) == form


def test_every_page_says_in_its_code_which_it_is(tmp_path: Path) -> None:
    form = print_form(described(tmp_path / "desk"), tmp_path / "forms")
    for page in form.pages:
        blank = load_blank(form, page)
        assert read_page_code(blank) == PageCode("club", page.number)
        assert page.code == encode_code(PageCode("club", page.number))
        box = find_code_box(blank)
        assert box is not None
        mm = box.scaled(25.4 / 200, 25.4 / 200)
        assert mm.w == pytest.approx(CODE_MM, abs=0.3)
        assert mm.right < page.width_mm - 5
        assert mm.bottom < page.height_mm - 5


def test_the_code_of_a_long_id_grows_so_that_it_stays_readable() -> None:
    assert code_side_mm("a") == CODE_MM
    assert code_side_mm("a" * 64) > CODE_MM
    squares = draw_code(PageCode("a" * 64, 2))
    assert code_side_mm("a" * 64) / len(squares) >= 0.3 - 0.01


def test_copies_are_the_form_and_their_own_number(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    form = print_form(
        described(tmp_path / "desk"),
        tmp_path / "forms",
        serials=range(41, 44),
        progress=lambda done, of: heard.append((done, of)),
    )
    assert heard == [(1, 3), (2, 3), (3, 3)]
    copies = pages_of(form.folder / COPIES_PDF)
    assert len(copies) == 6
    for index, copy in enumerate(copies):
        sheet, side = divmod(index, 2)
        assert read_page_code(copy) == PageCode("club", side + 1, f"{41 + sheet:06d}")
        blank = load_blank(form, form.pages[side])
        foot = round((297 - 19) / 25.4 * 200)
        assert np.abs(copy[:foot].astype(int) - blank[:foot]).max() <= 1
        assert (copy[foot:] != blank[foot:]).any()


def test_the_registered_form_does_not_depend_on_its_numbers(tmp_path: Path) -> None:
    source = described(tmp_path / "desk")
    plain = print_form(source, tmp_path / "one")
    numbered = print_form(source, tmp_path / "two", serials=range(1, 3))
    assert plain.content_hash == numbered.content_hash


@pytest.mark.parametrize(("sides", "pages"), [(1, 6), (2, 8)])
def test_a_copy_never_starts_on_the_back_of_another(tmp_path: Path, sides: int, pages: int) -> None:
    third = "- kind: page_break\n- kind: note\n  text: The end\n"
    text = DESCRIPTION.replace("code: true", f"sides: {sides}") + third
    form = print_form(described(tmp_path / "desk", text), tmp_path / "forms", serials=range(2))
    assert len(form.pages) == 3
    copies = pages_of(form.folder / COPIES_PDF)
    assert len(copies) == pages
    assert [bool((page < 128).any()) for page in copies[:4]] == [True, True, True, sides == 1]


@pytest.mark.parametrize("serials", [range(0), range(-1, 3), range(999_999, 1_000_001)])
def test_numbers_that_cannot_be_printed_are_refused(tmp_path: Path, serials: range) -> None:
    with pytest.raises(BadArgumentsError, match="999999"):
        print_form(described(tmp_path / "desk"), tmp_path / "forms", serials=serials)
    assert list((tmp_path / "forms").iterdir()) == []


def test_another_form_of_the_same_id_is_replaced_only_when_asked(tmp_path: Path) -> None:
    forms = tmp_path / "forms"
    first = print_form(described(tmp_path / "desk"), forms)
    changed = described(tmp_path / "desk", DESCRIPTION.replace("Ann", "Anna"))
    with pytest.raises(FormError, match="already"):
        print_form(changed, forms)
    assert read_form(forms / "club").content_hash == first.content_hash
    second = print_form(changed, forms, replace=True)
    assert second.content_hash != first.content_hash
    assert [path.name for path in forms.iterdir()] == ["club"]


def test_more_copies_of_a_form_in_use_are_no_replacement(tmp_path: Path) -> None:
    forms = tmp_path / "forms"
    source = described(tmp_path / "desk")
    first = print_form(source, forms)
    (first.folder / "notes.txt").write_text("keep", encoding="utf-8")
    again = print_form(source, forms, serials=range(1, 2))
    assert again.content_hash == first.content_hash
    assert (again.folder / COPIES_PDF).is_file()
    assert (again.folder / "notes.txt").read_text(encoding="utf-8") == "keep"


def test_more_copies_of_a_form_from_before_the_comment_zones_leave_it_as_it_is(
    tmp_path: Path,
) -> None:
    forms = tmp_path / "forms"
    source = described(tmp_path / "desk", DESCRIPTION + "- kind: lines\n  text: Comments\n")
    first = print_form(source, forms)
    assert [comment.id for comment in first.comments] == ["comment-1"]
    older = first.model_copy(update={"comments": ()})
    write_form(older, first.folder)
    before = read_form(first.folder)
    assert before.content_hash == first.hash_without_comments != first.content_hash
    again = print_form(source, forms, serials=range(1, 2))
    assert again.content_hash == before.content_hash
    assert (again.folder / COPIES_PDF).is_file()


def test_a_description_may_lie_where_its_form_will_be(tmp_path: Path) -> None:
    place = tmp_path / "forms" / "club"
    place.mkdir(parents=True)
    source = place / QUESTIONS_FILE
    source.write_text(DESCRIPTION, encoding="utf-8")
    form = print_form(source, tmp_path / "forms")
    assert form.folder == place
    assert source.read_text(encoding="utf-8") == DESCRIPTION


def test_a_form_that_cannot_be_drawn_leaves_nothing_and_names_its_description(
    tmp_path: Path,
) -> None:
    source = described(tmp_path / "desk", DESCRIPTION.replace("Ann", "安"))
    with pytest.raises(FormError, match=r"安 \(U\+5B89\), in '安'") as caught:
        print_form(source, tmp_path / "forms")
    assert caught.value.path == source
    assert list((tmp_path / "forms").iterdir()) == []


def test_a_disk_that_fails_half_way_leaves_the_former_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forms = tmp_path / "forms"
    first = print_form(described(tmp_path / "desk"), forms)
    changed = described(tmp_path / "desk", DESCRIPTION.replace("Ann", "Anna"))

    def fail(_form: Form, _folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(layout, "write_form", fail)
    with pytest.raises(StorageError, match="No space left"):
        print_form(changed, forms, replace=True)
    assert read_form(forms / "club").content_hash == first.content_hash
    assert [path.name for path in forms.iterdir()] == ["club"]


def test_a_marked_copy_is_read_with_its_number(tmp_path: Path) -> None:
    form = print_form(described(tmp_path / "desk"), tmp_path / "forms", serials=range(7, 8))
    reader = Reader([form])
    for side, copy in enumerate(pages_of(form.folder / COPIES_PDF), start=1):
        ((_contest, first), (_same, _second)) = form.targets_on(side)
        style = MarkStyle(MarkKind.CROSS, Pen.BALLPOINT)
        box = first.box.scaled(200 / 25.4, 200 / 25.4)
        draw_mark(copy, box, 200, style, np.random.default_rng(side))
        reading = reader.read(as_page(scan_like(copy, dpi=200)))
        assert isinstance(reading, PageReading)
        assert (reading.form, reading.page, reading.serial) == ("club", side, "000007")
        states = [target.state for target in reading.targets]
        assert states == [MarkState.MARKED, MarkState.UNMARKED]
        assert reading.alternatives == ()
