"""form.yaml: what is written is what is read, and a fault is told by line and field."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from scanner.errors import FormError
from scanner.forms.catalog import find_form, list_forms
from scanner.forms.template import Form, read_form, write_form
from scanner.geometry import Box

FORM = """\
schema: 1
id: khao-sat
title: Khảo sát
pages:
  - number: 1
    blank: page-1.png
    width_mm: 210
    height_mm: 297
  - {number: 2, blank: page-2.png, width_mm: 210, height_mm: 297}
contests:
  - id: q1
    title: Câu 1
    max: 2
    options:
      - {id: a, label: Rất hài lòng, x: 20, y: 30, w: 5, h: 5}
      - {id: b, label: Hài lòng, x: 20, y: 40, w: 5, h: 5}
"""

COMMENTS = """\
comments:
  - {id: other, title: "Ý kiến khác", x: 20, y: 200, w: 170, h: 18}
"""


def put_form(folder: Path, text: str = FORM) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "form.yaml").write_text(text, encoding="utf-8")
    for number in (1, 2):
        (folder / f"page-{number}.png").write_bytes(b"picture %d" % number)
    return folder


def test_a_form_is_read_as_it_is_written_down(tmp_path: Path) -> None:
    form = read_form(put_form(tmp_path / "khao-sat"))
    assert [option.id for _contest, option in form.targets()] == ["a", "b"]
    assert form.targets_on(2) == []
    contest = form.contest("q1")
    assert contest is not None
    assert (contest.max, contest.options[1].box) == (2, Box(20, 40, 5, 5))
    page = form.page(2)
    assert page is not None
    assert form.blank_path(page) == tmp_path / "khao-sat" / "page-2.png"
    assert (form.page(3), form.contest("q2")) == (None, None)


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("x: 20, y: 40", "x: twenty, y: 40", ["line 16", "contests.0.options.1.x"]),
        ("x: 20, y: 40", "x: -1, y: 40", ["line 16", "contests.0.options.1.x"]),
        ("max: 2", "max: 0", ["line 13", "contests.0.max"]),
        ("max: 2", "maximum: 2", ["line 13", "contests.0.maximum"]),
        ("{id: b,", "{id: a,", ["line 16", "contests.0.options.1.id", "'a'", "twice"]),
        ("x: 20, y: 40", "x: 206, y: 40", ["line 16", "q1/b", "outside"]),
        ("h: 5}\n      - {id: b", "h: 5, page: 3}\n      - {id: b", ["q1/a", "page 3"]),
        ("blank: page-1.png", "blank: ../page-1.png", ["line 6", "pages.0.blank"]),
        ("blank: page-1.png", "blank: page-9.png", ["Page 1", "page-9.png"]),
        ("id: khao-sat", "id: khao/sat", ["line 2", "id"]),
        ("schema: 1", "schema: 2", ["line 1", "schema"]),
        ("number: 1", "number: 2", ["line 9", "pages.1.number", "2 is there twice"]),
        ("pages:", "pages: [", ["not YAML"]),
        (FORM, "- a list", ["starts with"]),
        (FORM, FORM + COMMENTS + COMMENTS.partition("\n")[2], ["line 19", "'other'", "twice"]),
        (FORM, FORM + COMMENTS.replace("w: 170", "w: 270"), ["line 18", "other", "outside"]),
        (FORM, FORM + COMMENTS.replace("id:", "page: 3, id:"), ["line 18", "other", "page 3"]),
        (FORM, FORM + COMMENTS.replace("x: 20, ", ""), ["line 18", "comments.0.x"]),
    ],
)
def test_a_fault_is_told_by_line_and_field(
    tmp_path: Path, old: str, new: str, parts: list[str]
) -> None:
    assert old in FORM
    folder = put_form(tmp_path / "f", FORM.replace(old, new, 1))
    with pytest.raises(FormError) as caught:
        read_form(folder)
    assert [part for part in parts if part not in caught.value.message] == []
    assert caught.value.path == folder / "form.yaml"


def test_the_hash_knows_the_blank_and_the_words_but_not_the_layout(tmp_path: Path) -> None:
    form = read_form(put_form(tmp_path / "a"))
    same = read_form(put_form(tmp_path / "b", "# a remark\n" + FORM.replace("x: 20", "x:   20.0")))
    reworded = read_form(put_form(tmp_path / "c", FORM.replace("Câu 1", "Câu I")))
    repainted = read_form(put_form(tmp_path / "d"))
    (tmp_path / "d" / "page-2.png").write_bytes(b"another picture")
    assert form.content_hash == same.content_hash
    assert len({form.content_hash, reworded.content_hash, repainted.content_hash}) == 3


def test_letters_typed_on_any_machine_are_the_same(tmp_path: Path) -> None:
    typed_on_a_mac = unicodedata.normalize("NFD", FORM).replace(
        "Rất hài", "Rất\N{NO-BREAK SPACE}hài"
    )
    one, other = put_form(tmp_path / "a"), put_form(tmp_path / "b", typed_on_a_mac)
    assert read_form(one).content_hash == read_form(other).content_hash


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
LENGTHS = st.floats(0.1, 50).map(lambda value: round(value, 3))


@st.composite
def forms(draw: st.DrawFn) -> Form:
    ids = st.lists(TEXTS.filter(bool), min_size=1, max_size=3, unique=True)
    contests = [
        {
            "id": contest_id,
            "title": draw(TEXTS),
            "max": draw(st.integers(1, 9)),
            "options": [
                {"id": option_id, "label": draw(TEXTS), "page": draw(st.sampled_from([1, 3]))}
                | {name: draw(LENGTHS) for name in "xywh"}
                for option_id in draw(ids)
            ],
        }
        for contest_id in draw(ids)
    ]
    pages = [
        {"number": number, "blank": "page-1.png", "width_mm": 210, "height_mm": 297}
        for number in (1, 3)
    ]
    return Form.model_validate(
        {"id": "f", "title": draw(TEXTS), "pages": pages, "contests": contests}
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put_form(tmp_path_factory.mktemp("round") / "f")


@settings(deadline=None, max_examples=60)
@given(form=forms())
def test_any_form_survives_being_written_and_read(folder: Path, form: Form) -> None:
    write_form(form, folder)
    assert read_form(folder).model_dump() == form.model_dump()


def test_a_form_in_memory_has_no_folder() -> None:
    page = {"number": 1, "blank": "page-1.png", "width_mm": 10, "height_mm": 10}
    form = Form.model_validate({"id": "f", "pages": [page]})
    with pytest.raises(FormError, match="no folder"):
        _ = form.folder
    with pytest.raises(ValidationError):
        Form.model_validate({"id": "f", "pages": []})


def test_the_catalog_lists_forms_by_name_and_says_what_there_is(tmp_path: Path) -> None:
    for name in ("b", "a"):
        put_form(tmp_path / name, FORM.replace("id: khao-sat", f"id: {name}"))
    assert [form.id for form in list_forms(tmp_path)] == ["a", "b"]
    assert find_form(tmp_path, "b").id == "b"
    with pytest.raises(FormError, match="a, b"):
        find_form(tmp_path, "c")
    with pytest.raises(FormError, match="no such folder"):
        list_forms(tmp_path / "missing")


def test_comment_zones_are_private_unless_the_form_says_otherwise(tmp_path: Path) -> None:
    form = read_form(put_form(tmp_path / "a", FORM + COMMENTS))
    (comment,) = form.comments
    assert (comment.id, comment.page, comment.private) == ("other", 1, True)
    assert form.comment("other") == comment
    assert form.comment("q1") is None
    assert comment.box == Box(20, 200, 170, 18)
    public = COMMENTS.replace("h: 18", "h: 18, private: false")
    shown = read_form(put_form(tmp_path / "b", FORM + public))
    assert not shown.comments[0].private
    write_form(shown, tmp_path / "b")
    again = read_form(tmp_path / "b")
    assert again.comments == shown.comments
    assert again.content_hash == shown.content_hash


def test_a_form_without_comment_zones_has_the_hash_that_it_always_had(tmp_path: Path) -> None:
    without = read_form(put_form(tmp_path / "a"))
    assert "comments" not in without.model_dump()
    with_them = read_form(put_form(tmp_path / "b", FORM + COMMENTS))
    assert without.content_hash == without.hash_without_comments
    assert with_them.content_hash != without.content_hash == with_them.hash_without_comments
