"""A description is read whole, or refused with file, line and field."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from scanner.errors import FormError
from scanner.forms.layout import lay_out_form
from scanner.forms.questions import (
    QUESTIONS_FILE,
    Blank,
    Choice,
    Instruction,
    Lines,
    Matrix,
    Note,
    Personal,
    Question,
    Questions,
    read_questions,
    write_questions_draft,
)

REFERENCE = Path(__file__).parents[1] / "docs" / "questions.md"
HEAD = """\
schema: 1
id: club
title: Election
language: en
header: none
heading: ELECTION
"""
QUESTION = """\
- kind: question
  id: q1
  text: Who?
  options:
  - {id: a, label: Ann}
  - {id: b, label: Ben}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / QUESTIONS_FILE
    path.write_text(text, encoding="utf-8")
    return path


def test_a_form_needs_no_more_than_a_heading_and_a_question(tmp_path: Path) -> None:
    form = read_questions(written(tmp_path, f"{HEAD}blocks:\n{QUESTION}"))
    (block,) = form.blocks
    assert isinstance(block, Question)
    assert [option.label for option in block.options] == ["Ann", "Ben"]
    assert form.organisation == form.introduction == form.subheading == ()


def test_one_line_may_stand_for_a_list_of_one(tmp_path: Path) -> None:
    text = f"{HEAD}organisation: The Club\nintroduction: Please vote.\nblocks:\n{QUESTION}"
    form = read_questions(written(tmp_path, text))
    assert form.organisation == ("The Club",)
    assert form.introduction == ("Please vote.",)


def test_text_is_composed_and_its_spaces_are_single(tmp_path: Path) -> None:
    loose = unicodedata.normalize("NFD", "Ông   (Bà)\n   được   ỡ")
    text = f"{HEAD}introduction: |\n  {loose}\nblocks:\n{QUESTION}"
    form = read_questions(written(tmp_path, text))
    assert form.introduction == ("Ông (Bà) được ỡ",)


@pytest.mark.parametrize(
    ("blocks", "line", "field", "reason"),
    [
        (QUESTION.replace("label: Ben", "lable: Ben"), 13, "blocks.0.options.1", "missing"),
        (QUESTION.replace("label: Ben", "label: 1"), 13, "blocks.0.options.1.label", "quotes"),
        (QUESTION.replace("id: b", "id: a"), 13, "blocks.0.options.1.id", "twice"),
        (QUESTION + QUESTION, 15, "blocks.1.id", "twice"),
        (QUESTION.replace("text: Who?", "max: 3\n  text: Who?"), 10, "blocks.0.max", "answers"),
        (QUESTION.replace("text:", "colour:"), 10, "blocks.0.colour", "no such field"),
        (QUESTION + "paper: A3\n", 14, "paper", "'A4' or 'A5'"),
        (QUESTION + "version: 2\n", 14, "version", "quotes"),
        (QUESTION + "- kind: foto\n", 14, "blocks.1", "no such kind"),
        (QUESTION + "- text: Hello\n", 14, "blocks.1", "'kind' is missing"),
        ("- kind: question\n  id: q1\n  options: [{id: a, label: A}]\n", 8, "blocks.0", "title"),
    ],
)
def test_a_fault_is_named_with_line_and_field(
    tmp_path: Path, blocks: str, line: int, field: str, reason: str
) -> None:
    path = written(tmp_path, f"{HEAD}blocks:\n{blocks}")
    with pytest.raises(FormError) as caught:
        read_questions(path)
    assert f"line {line}, {field}" in str(caught.value)
    assert reason in str(caught.value)
    assert caught.value.path == path


def test_a_row_of_a_table_may_not_have_the_id_of_a_question(tmp_path: Path) -> None:
    table = """\
- kind: matrix
  scale: [{id: a, label: Yes}, {id: b, label: No}]
  rows:
  - {id: r1, text: One}
  - {id: q1, text: Two}
"""
    path = written(tmp_path, f"{HEAD}blocks:\n{QUESTION}{table}")
    with pytest.raises(FormError, match=r"line 18, blocks\.1\.rows\.1\.id: .*'q1' is there twice"):
        read_questions(path)


def test_corrections_that_the_voter_is_not_told_of_are_refused(tmp_path: Path) -> None:
    rule = "rule: {cancel: filled}\n"
    with pytest.raises(FormError, match=r"line 7, rule\.cancel: .*instruction"):
        read_questions(written(tmp_path, f"{HEAD}{rule}blocks:\n{QUESTION}"))
    told = f"{HEAD}{rule}blocks:\n- kind: instruction\n{QUESTION}"
    assert read_questions(written(tmp_path, told)).rule.cancel == "filled"


def test_an_official_head_needs_its_offices(tmp_path: Path) -> None:
    text = HEAD.replace("header: none\n", "")
    with pytest.raises(FormError, match="organisation: the official head needs its offices"):
        read_questions(written(tmp_path, f"{text}blocks:\n{QUESTION}"))


@pytest.mark.parametrize(
    "text", ["", "- a\n- b\n", "id: [", "id: a\nid: b\n", "id: \x00"], ids=str.__repr__
)
def test_what_is_no_description_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormError, match=QUESTIONS_FILE):
        read_questions(written(tmp_path, text))


def test_a_missing_description_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormError, match=r"missing\.yaml"):
        read_questions(tmp_path / "missing.yaml")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_new_description_is_printable_as_it_stands(tmp_path: Path, language: str) -> None:
    path = tmp_path / "new" / QUESTIONS_FILE
    write_questions_draft(path, language=language)
    form = read_questions(path)
    assert form.language == language
    kinds = {type(block) for block in form.blocks}
    assert {Question, Matrix} <= kinds
    assert any(isinstance(block, Question) and block.breakdown for block in form.blocks)
    drawn = lay_out_form(form, tmp_path / "drawn")
    assert len(drawn.pages) == 1
    assert drawn.private
    assert path.read_text(encoding="utf-8").count("#") > 15


def test_a_new_description_never_overwrites_one(tmp_path: Path) -> None:
    path = written(tmp_path, "mine")
    with pytest.raises(FormError, match="already"):
        write_questions_draft(path, language="en")
    assert path.read_text(encoding="utf-8") == "mine"


def test_there_are_drafts_in_two_languages_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fr"):
        write_questions_draft(tmp_path / QUESTIONS_FILE, language="fr")


@pytest.mark.parametrize(
    "changes",
    [
        {"paper": "A3"},
        {"language": "fr"},
        {"text_pt": 4},
        {"blocks": []},
        {"id": "no spaces"},
        {"rule": {"cancel": "circled"}},
    ],
    ids=str,
)
def test_what_the_program_cannot_print_is_refused(changes: dict[str, Any]) -> None:
    good = {
        "id": "club",
        "title": "Election",
        "header": "none",
        "heading": "ELECTION",
        "blocks": [{"kind": "note", "text": "Hello"}],
    }
    Questions.model_validate(good)
    with pytest.raises(ValidationError):
        Questions.model_validate(good | changes)


def test_every_example_of_the_reference_is_printable(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", REFERENCE.read_text(encoding="utf-8"), re.DOTALL)
    whole, *parts = examples
    assert len(parts) == 8
    form = read_questions(written(tmp_path, whole + "".join(parts)))
    assert lay_out_form(form, tmp_path / "drawn").private


def test_the_reference_has_every_field() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    for model in (Questions, Question, Matrix, Choice, Note, Instruction, Blank, Personal, Lines):
        for name, field in model.model_fields.items():
            assert re.search(rf"\b{field.alias or name}\b", text), f"{model.__name__}.{name}"
