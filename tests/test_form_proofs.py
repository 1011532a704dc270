"""What a form must stand: printed, marked, scanned, found again, printed smaller, spoilt."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from benchmarks.decks import DeckRun, draw_on_a5, judge_count
from benchmarks.found_again import FoundAgain, MismatchError, register_again
from scanner.errors import ExitCode
from scanner.forms import fonts
from scanner.forms.catalog import find_form
from scanner.forms.deck_plan import least_sheets, plan_deck
from scanner.forms.template import FORM_FILE, Form
from scanner.forms.testdeck import DECK_DPI, DeckRequest, draw_deck, make_deck
from scanner.publishing.deck_result import Outcome
from tests.conftest import Run
from tests.deck_forms import make_small_form

SHIPPED = Path(__file__).parents[1] / "form_templates"
SHIPPED_FORMS = sorted(path.parent.name for path in SHIPPED.glob("*/form.yaml"))
SEED = 2


def counted(run: Run, drawn: Form, pdf: Path, again: FoundAgain | None = None) -> DeckRun:
    """A deck scanned into a count of its own among all forms of the folder, and judged."""
    form = again.form if again else drawn
    count = pdf.parent / f"count-{'again' if again else 'drawn'}"
    code, _out, err = run("scan", count, pdf, "--forms", form.folder.parent, "-j", "1")
    assert code == ExitCode.OK, err
    return judge_count(drawn, pdf, count, (0.0, 0.0), again)


def deck_of(form: Form, folder: Path, **look: float | str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    request = DeckRequest(least_sheets(form), seed=SEED, scan=True, **look)  # type: ignore[arg-type]
    make_deck(form, request, folder / "deck.pdf")
    return folder / "deck.pdf"


# --- printed, marked, scanned -------------------------------------------------------------------


@pytest.fixture(scope="module", params=SHIPPED_FORMS)
def shipped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Form, Path]:
    """A form that ships, and a deck of it as an office scanner gives it."""
    form = find_form(SHIPPED, request.param)
    return form, deck_of(form, tmp_path_factory.mktemp(request.param))


@pytest.mark.slow
def test_a_form_that_ships_is_counted_exactly(run: Run, shipped: tuple[Form, Path]) -> None:
    form, pdf = shipped
    made = counted(run, form, pdf)
    assert made.result.differences == ()
    assert made.result.total[Outcome.ASKED] > 0
    assert made.result.total.total() == least_sheets(form) * len(list(form.targets()))
    assert made.tally_is_meant
    code, out, _err = run(
        *("form", "testdeck", form.id, "--compare", pdf.parent / "count-drawn"),
        *("--forms", SHIPPED),
    )
    assert code == ExitCode.OK
    assert "PASS" in out


@pytest.mark.slow
def test_a_form_registered_from_a_scan_of_it_counts_the_same_deck_with_the_same_tally(
    run: Run, shipped: tuple[Form, Path], tmp_path: Path
) -> None:
    form, pdf = shipped
    again = register_again(form, SEED, tmp_path / "found")
    assert len(again.names) == len(list(form.targets())) == len(list(again.form.targets()))
    assert [len(c.options) for c in again.form.contests] == [len(c.options) for c in form.contests]
    made = counted(run, form, pdf, again)
    assert made.result.total[Outcome.WRONG] == 0
    assert made.tally_is_meant


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bao_lam_huyen"])
def test_a_form_printed_to_fit_the_page_still_counts(run: Run, name: str, tmp_path: Path) -> None:
    form = find_form(SHIPPED, name)
    made = counted(run, form, deck_of(form, tmp_path / "deck", scale_percent=96))
    assert made.result.total[Outcome.WRONG] == 0
    assert made.tally_is_meant


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bao_lam_xa", "huong_an_2019"])
def test_a_form_drawn_on_a5_counts_on_a4_glass(run: Run, name: str, tmp_path: Path) -> None:
    shipped = find_form(SHIPPED, name)
    form = draw_on_a5(shipped, tmp_path / "forms")
    assert (form.pages[0].width_mm, form.pages[0].height_mm) == pytest.approx((148, 210), abs=0.5)
    assert {(c.id, o.id) for c, o in form.targets()} == {(c.id, o.id) for c, o in shipped.targets()}
    made = counted(run, form, deck_of(form, tmp_path / "deck", onto="a4"))
    assert made.result.total[Outcome.WRONG] == 0
    assert made.tally_is_meant


def test_a_form_found_otherwise_than_drawn_is_no_proof(tmp_path: Path) -> None:
    form = make_small_form(tmp_path / "forms")
    again = register_again(form, 1, tmp_path / "found")
    assert set(again.names) == {(contest.id, option.id) for contest, option in form.targets()}
    first, *others = form.contests
    joined = first.model_copy(update={"options": first.options[:-1]})
    fewer = form.model_copy(update={"contests": (joined, *others)})
    fewer._folder = form.folder
    with pytest.raises(MismatchError, match="found where nothing is q1/o3"):
        register_again(fewer, 1, tmp_path / "found")


# --- bad input ----------------------------------------------------------------------------------

DESCRIPTION = """\
schema: 1
id: club
title: Election
language: en
header: none
heading: ELECTION
blocks:
- kind: question
  id: q1
  text: Who?
  options: [{id: a, label: Ann}, {id: b, label: Ben}]
- kind: question
  id: q2
  text: When?
  options: [{id: a, label: Now}, {id: b, label: Then}]
"""


def encrypted(folder: Path) -> tuple[str, ...]:
    with pikepdf.open(SHIPPED / "tth5_phuong" / "blank.pdf") as pdf:
        pdf.save(folder / "bad.pdf", encryption=pikepdf.Encryption(owner="o", user="u"))
    return "form", "register", "bad.pdf", "--id", "club"


def coarse(folder: Path) -> tuple[str, ...]:
    page = Image.open(SHIPPED / "tth5_phuong" / "page-1.png").resize((595, 842))
    page.save(folder / "bad.png", dpi=(72, 72))
    return "form", "register", "bad.png", "--id", "club"


def filled(folder: Path) -> tuple[str, ...]:
    form = find_form(SHIPPED, "tth5_phuong")
    sheets = plan_deck(form, least_sheets(form), SEED)
    page = next(draw_deck(form, sheets, DeckRequest(len(sheets), SEED, scan=True)))[0]
    Image.fromarray(page).save(folder / "bad.png", dpi=(DECK_DPI, DECK_DPI))
    return "form", "register", "bad.png", "--id", "club"


def described(folder: Path, text: str) -> tuple[str, ...]:
    (folder / "bad.yaml").write_text(text, "utf-8")
    return "form", "print", "bad.yaml"


def question_twice(folder: Path) -> tuple[str, ...]:
    return described(folder, DESCRIPTION.replace("id: q2", "id: q1"))


def answer_twice(folder: Path) -> tuple[str, ...]:
    return described(folder, DESCRIPTION.replace("{id: b, label: Then}", "{id: a, label: Then}"))


def too_long(folder: Path) -> tuple[str, ...]:
    return described(folder, DESCRIPTION.replace("Who?", "Who? " * 3000))


def any_form(folder: Path) -> tuple[str, ...]:
    return described(folder, DESCRIPTION)


def registered_twice(folder: Path, one: str, other: str) -> tuple[str, ...]:
    """A registered form that somebody edited."""
    place = make_small_form(folder / "forms", "bad").folder / FORM_FILE
    text = place.read_text("utf-8")
    assert one in text
    place.write_text(text.replace(one, other), "utf-8")
    return "form", "check", "bad"


def contest_twice(folder: Path) -> tuple[str, ...]:
    return registered_twice(folder, "id: q2", "id: q1")


def option_twice(folder: Path) -> tuple[str, ...]:
    return registered_twice(folder, 'id: "o2"', 'id: "o1"')


BAD: dict[Callable[[Path], tuple[str, ...]], tuple[ExitCode, str, str, str]] = {
    encrypted: (ExitCode.BAD_INPUT, "bad.pdf", "wants a password", "save it without one"),
    coarse: (ExitCode.BAD_FORM, "bad.png", "has only 72 dpi", "at 200 dpi or more"),
    filled: (ExitCode.BAD_FORM, "bad.png", "seems to be filled in", "Give an empty one"),
    question_twice: (
        *(ExitCode.BAD_FORM, "bad.yaml"),
        *("line 13, blocks.1.id: the id 'q1' is there twice", "docs/questions.md"),
    ),
    answer_twice: (
        *(ExitCode.BAD_FORM, "bad.yaml"),
        *("line 15, blocks.1.options.1.id: the id 'a' is there twice", "docs/questions.md"),
    ),
    too_long: (ExitCode.BAD_FORM, "bad.yaml", "Who? …' is too long for its page", "Shorten"),
    contest_twice: (
        *(ExitCode.BAD_FORM, "form.yaml"),
        *("line 16, contests.1.id: 'q1' is there twice", "docs/forms.md"),
    ),
    option_twice: (
        *(ExitCode.BAD_FORM, "form.yaml"),
        *("contests.0.options.1.id: 'o1' is there twice", "docs/forms.md"),
    ),
}


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_bad_input_gets_one_message_with_the_file_and_the_remedy_and_leaves_nothing(
    run: Run, make: Callable[[Path], tuple[str, ...]], tmp_path: Path
) -> None:
    code, file, wrong, remedy = BAD[make]
    command = make(tmp_path)
    before = sorted((tmp_path / "forms").rglob("*"))
    got, out, err = run(*command)
    assert got == code
    assert out == ""
    said = err.splitlines()
    assert len(said) == 2
    assert file in said[0]
    assert wrong in said[0]
    assert len(said[0]) < 500
    assert remedy in said[1]
    assert sorted((tmp_path / "forms").rglob("*")) == before

    got, _out, err = run("--lang", "vi", *command)
    assert got == code
    message, advice = err.splitlines()
    assert file in message
    assert wrong not in message
    assert remedy not in advice or remedy.startswith("docs/")
    assert is_vietnamese(message)
    assert is_vietnamese(advice)


def test_a_missing_font_is_named_and_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = any_form(tmp_path)
    monkeypatch.setitem(sys.modules, "fontpkg", None)
    fonts.load_faces.cache_clear()
    for language, wrong in (("en", "font Noto Serif"), ("vi", "phông chữ Noto Serif")):
        code, _out, err = run("--lang", language, *command)
        assert code == ExitCode.MISSING_TOOL
        message, remedy = err.splitlines()
        assert wrong.casefold() in message.casefold()
        assert "pip install fontpkg-noto-serif" in remedy
        assert list((tmp_path / "forms").rglob("*")) == []


def is_vietnamese(text: str) -> bool:
    return re.search(r"[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", text) is not None
