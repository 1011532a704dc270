"""The commands about forms as a user types them: new, print, register, check, testdeck."""

from __future__ import annotations

import json
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from scanner.errors import ExitCode
from scanner.forms.deck import DeckMark, DeckTarget, read_deck, write_deck
from scanner.forms.template import Form, read_form
from tests.conftest import Run
from tests.deck_forms import make_small_form


@pytest.fixture
def small(tmp_path: Path) -> Form:
    return make_small_form(tmp_path / "forms")


# --- form check ---------------------------------------------------------------------------------


def test_a_check_gives_points_findings_and_remedies(run: Run, small: Form) -> None:
    code, out, _err = run("form", "check", "small")
    assert (code, out.splitlines()) == (
        ExitCode.OK,
        ["small: 100 of 100 points", "  Nothing found."],
    )
    text = (small.folder / "form.yaml").read_text("utf-8")
    (small.folder / "form.yaml").write_text(text.replace("answer 1", "", 1), "utf-8")
    code, out, _err = run("form", "check")
    assert code == ExitCode.OK
    assert "small: 95 of 100 points" in out
    assert "−5  Targets without a label: q1/o1." in out
    assert "Write their labels into form.yaml" in out


def test_a_fault_makes_a_check_fail(run: Run, tmp_path: Path, small: Form) -> None:
    make_small_form(tmp_path / "forms", "twin")
    code, out, _err = run("form", "check", "small")
    assert code == ExitCode.BAD_FORM
    assert "small: 40 of 100 points" in out
    assert "cannot be told from page 1 of form twin" in out
    assert "twin: " not in out


# --- form testdeck ------------------------------------------------------------------------------


def test_a_deck_is_made_scanned_and_passes(run: Run, small: Form) -> None:
    code, out, err = run("form", "testdeck", "small", "-n", "8", "--scan")
    assert code == ExitCode.OK, err
    assert "8 sheets: testdeck-small.pdf; what is marked on them: testdeck-small.json" in out
    commands = [line.split()[1:] for line in out.splitlines() if line.startswith("  kiemphieu ")]
    assert len(commands) == 2
    assert run(*commands[0], "-j", "1")[0] == ExitCode.OK
    code, out, _err = run(*commands[1])
    assert code == ExitCode.OK
    assert "PASS" in out
    assert "Question q1" in out


def test_a_deck_counted_wrongly_fails_with_the_code_of_a_wrong_tally(
    run: Run, small: Form, tmp_path: Path
) -> None:
    assert run("form", "testdeck", "small", "-n", "8")[0] == ExitCode.OK
    assert run("scan", "trial", "testdeck-small.pdf", "-j", "1")[0] == ExitCode.OK
    deck = read_deck(tmp_path / "testdeck-small.json")
    first = deck.sheets[0]
    (marked,) = first.marked("q1")
    other = {**first.contests["q1"], marked: DeckTarget()}
    lied = first.model_copy(update={"contests": {**first.contests, "q1": other}})
    write_deck(
        deck.model_copy(update={"sheets": (lied, *deck.sheets[1:])}), tmp_path / "other.json"
    )
    code, out, _err = run("form", "testdeck", "small", "--compare", "trial", "--deck", "other.json")
    assert code == ExitCode.TALLY_DIFFERS
    assert f"Deck sheet 0001 (in the count: 0001), q1/{marked}: no mark; counted otherwise." in out
    assert "FAIL" in out
    assert "Look at the sheet: kiemphieu show trial 1\n" in out
    assert "Count nothing with it before" in out


def test_questions_for_nothing_can_be_allowed(run: Run, small: Form, tmp_path: Path) -> None:
    assert run("form", "testdeck", "small", "-n", "8")[0] == ExitCode.OK
    assert run("scan", "trial", "testdeck-small.pdf", "-j", "1")[0] == ExitCode.OK
    path = tmp_path / "testdeck-small.json"
    data = json.loads(path.read_text("utf-8"))
    hidden = 0
    for sheet in data["sheets"]:
        for targets in sheet["contests"].values():
            if any(one.get("mark") == DeckMark.FAINT for one in targets.values()):
                hidden += 1
                for one in targets.values():
                    one["doubt"] = False
    assert hidden
    path.write_text(json.dumps(data), "utf-8")
    compare = ("form", "testdeck", "small", "--compare", "trial")
    code, out, _err = run(*compare)
    assert code == ExitCode.TALLY_DIFFERS
    assert "Look at the sheet: kiemphieu show trial " in out
    assert f"--allow {hidden} says" in out
    code, out, _err = run(*compare, "--allow", str(hidden))
    assert code == ExitCode.OK
    assert out.count("asked about") == hidden
    assert f"PASS: no mark was counted wrong; questions for nothing: {hidden}." in out


def test_a_second_deck_is_told_to_go_into_a_count_of_its_own(run: Run, small: Form) -> None:
    _code, out, _err = run("form", "testdeck", "small", "-n", "8", "-o", "second.pdf")
    assert "kiemphieu scan second second.pdf -f small" in out
    assert "--compare second --deck second.json" in out
    assert run("scan", "second", "second.pdf", "-j", "1")[0] == ExitCode.OK
    compare = ("form", "testdeck", "small", "--compare", "second", "--deck", "second.json")
    assert run(*compare)[0] == ExitCode.OK


def test_a_deck_does_not_replace_files_unless_told_so(
    run: Run, small: Form, tmp_path: Path
) -> None:
    (tmp_path / "deck.json").write_text("mine", "utf-8")
    code, _out, err = run("form", "testdeck", "small", "-n", "8", "-o", "deck.pdf")
    assert code == ExitCode.BAD_ARGUMENTS
    assert "deck.json: This file is there already." in err
    assert (tmp_path / "deck.json").read_text("utf-8") == "mine"
    replaced = run("form", "testdeck", "small", "-n", "8", "-o", "deck.pdf", "--replace")
    assert replaced[0] == ExitCode.OK
    assert len(read_deck(tmp_path / "deck.json").sheets) == 8


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("small", "-n", "3"), ExitCode.BAD_ARGUMENTS, "has 7 to 10000 sheets"),
        (("small", "--scale", "40"), ExitCode.BAD_ARGUMENTS, "40"),
        (("nobody",), ExitCode.BAD_FORM, "no form 'nobody'"),
        (("small", "--compare", "nowhere"), ExitCode.BAD_COUNT, "no count here"),
    ],
)
def test_a_deck_that_cannot_be_had_gets_one_clear_message(
    run: Run, small: Form, arguments: tuple[str, ...], code: ExitCode, words: str
) -> None:
    got, _out, err = run("form", "testdeck", *arguments)
    assert got == code
    assert words in err
    assert "Traceback" not in err


# --- form new, form print -----------------------------------------------------------------------


@pytest.fixture
def printed(run: Run, tmp_path: Path) -> Form:
    assert run("form", "new", "questions.yaml", "--language", "en")[0] == ExitCode.OK
    code, _out, err = run("form", "print", "questions.yaml")
    assert code == ExitCode.OK, err
    (place,) = (entry.parent for entry in (tmp_path / "forms").glob("*/form.yaml"))
    return read_form(place)


def test_a_form_goes_from_a_draft_to_paper_and_registry_with_two_commands(
    run: Run, tmp_path: Path
) -> None:
    code, out, _err = run("form", "new", "questions.yaml")
    assert code == ExitCode.OK
    assert "kiemphieu form print questions.yaml" in out
    code, out, _err = run("form", "print", "questions.yaml", "--copies", "3", "--serial-from", "7")
    assert code == ExitCode.OK
    (place,) = (entry.parent for entry in (tmp_path / "forms").glob("*/form.yaml"))
    form = read_form(place)
    for words in (
        f"{form.id}: {len(form.pages)} pages, {len(list(form.targets()))} targets.",
        str(place / "blank.pdf"),
        str(place / "copies.pdf"),
        f"kiemphieu form check {form.id}",
        f"kiemphieu form testdeck {form.id}",
    ):
        assert words in out
    copies = pdfium.PdfDocument(place / "copies.pdf")
    try:
        assert len(copies) == 3 * len(form.pages)
    finally:
        copies.close()
    assert run("form", "check", form.id)[0] == ExitCode.OK


def test_a_draft_never_replaces_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "questions.yaml").write_text("mine", "utf-8")
    code, _out, err = run("form", "new", "questions.yaml")
    assert code == ExitCode.BAD_FORM
    assert "already" in err
    assert (tmp_path / "questions.yaml").read_text("utf-8") == "mine"


def test_another_form_of_that_id_is_replaced_only_when_told_so(
    run: Run, printed: Form, tmp_path: Path
) -> None:
    change(tmp_path / "questions.yaml", "\nheading:", "\ntext_pt: 12\nheading:")
    code, _out, err = run("form", "print", "questions.yaml")
    assert code == ExitCode.BAD_FORM
    assert "--replace" in err
    assert read_form(printed.folder).content_hash == printed.content_hash
    assert run("form", "print", "questions.yaml", "--replace")[0] == ExitCode.OK
    assert read_form(printed.folder).content_hash != printed.content_hash


def test_a_faulty_description_names_file_line_and_field(run: Run, tmp_path: Path) -> None:
    assert run("form", "new", "bad.yaml", "--language", "en")[0] == ExitCode.OK
    text = change(tmp_path / "bad.yaml", "\nheading:", "\ncolour: red\nheading:")
    line = text.splitlines().index("colour: red") + 1
    code, _out, err = run("form", "print", "bad.yaml")
    assert code == ExitCode.BAD_FORM
    assert f"bad.yaml: line {line}, colour" in err
    assert not list((tmp_path / "forms").glob("*"))


def change(path: Path, before: str, after: str) -> str:
    """Change a text in a file."""
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")
    return text.replace(before, after, 1)


# --- form register ------------------------------------------------------------------------------


def test_a_blank_is_registered_with_pictures_to_look_at(
    run: Run, printed: Form, tmp_path: Path
) -> None:
    blank = printed.folder / "blank.pdf"
    code, out, err = run(
        "form", "register", str(blank), "--id", "as-found", "--title", "As it was found"
    )
    assert code == ExitCode.OK, err
    form = read_form(tmp_path / "forms" / "as-found")
    assert form.title == "As it was found"
    assert len(list(form.targets())) == len(list(printed.targets()))
    assert str(form.folder / "form.yaml") in out
    assert "kiemphieu form show as-found" in out
    assert "kiemphieu form testdeck as-found" in out
    pictures = [line.strip() for line in out.splitlines() if line.endswith(".png")]
    assert len(pictures) == len(form.pages)
    assert all(Path(picture).is_file() for picture in pictures)
    code, _out, err = run("form", "register", str(blank), "--id", "as-found")
    assert code == ExitCode.BAD_FORM
    assert "--replace" in err


def test_a_document_of_a_word_processor_is_to_be_saved_as_pdf(run: Run, tmp_path: Path) -> None:
    (tmp_path / "survey.docx").write_bytes(b"PK")
    code, _out, err = run("form", "register", "survey.docx", "--id", "survey")
    assert code == ExitCode.BAD_ARGUMENTS
    assert "survey.docx" in err
    assert "save it as PDF" in err


def test_one_example_finds_the_rest(run: Run, small: Form) -> None:
    box = small.contests[0].options[0].box
    blank = str(small.folder / "page-1.png")
    code, out, err = run(
        *("form", "register", blank, "--id", "again", "--dpi", "200"),
        *("--example", f"1,{box.x},{box.y},{box.w},{box.h}"),
    )
    assert code == ExitCode.OK, err
    assert f"again: 1 pages, {len(list(small.targets()))} targets." in out


@pytest.mark.parametrize(
    "text", ["1,2,3", "a,1,1,5,5", "0,1,1,5,5", "1.5,1,1,5,5", "1,1,1,0,5", ""]
)
def test_an_example_that_is_no_target_is_explained(run: Run, small: Form, text: str) -> None:
    blank = str(small.folder / "page-1.png")
    code, _out, err = run("form", "register", blank, "--id", "again", "--example", text)
    assert code == ExitCode.BAD_ARGUMENTS
    assert "PAGE,X,Y,W,H" in err
    assert not (small.folder.parent / "again").exists()
