"""Which form, which page, which way up: by the print alone, or by a code that is not trusted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scanner.ballot import Reason, UnreadablePage
from scanner.forms.codes import PageCode, encode_code
from scanner.forms.template import Form
from scanner.reading import identify as identify_module
from scanner.reading.blank import BlankPage
from scanner.reading.features import Features, Match, match_features
from scanner.reading.identify import FormIndex, IdentifiedPage
from scanner.settings import Settings
from tests.synthetic import (
    OFFICE,
    Design,
    Gray,
    blank_side,
    draw_small_form,
    foreign_page,
    mark,
    photo_of_a_cat,
    random_choices,
    scan_like,
    stamp_code,
)

SETTINGS = Settings()


def pages_of(forms: list[Form]) -> list[BlankPage]:
    return [BlankPage(form, page, SETTINGS.working_dpi) for form in forms for page in form.pages]


def index_of(forms: list[Form]) -> FormIndex:
    return FormIndex(pages_of(forms), SETTINGS)


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> list[Form]:
    """Three forms that share no line of print, one of them with two pages."""
    folder = tmp_path_factory.mktemp("forms")
    return [
        draw_small_form(folder, "ward", Design(seed=1)),
        draw_small_form(folder, "court", Design("OPINION OF THE COURT", pages=2, seed=2)),
        draw_small_form(folder, "land", Design("LAND OFFICE", questions=4, options=4, seed=3)),
    ]


@pytest.fixture(scope="module")
def index(pile: list[Form]) -> FormIndex:
    return index_of(pile)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_each_page_of_each_form_is_recognised_whichever_way_up(
    pile: list[Form], index: FormIndex, turns: int
) -> None:
    for form in pile:
        for page in form.pages:
            filled = mark(form, random_choices(form, 5), number=page.number)
            scan = np.ascontiguousarray(np.rot90(scan_like(filled), turns))
            found = index.identify_page(scan)
            assert isinstance(found, IdentifiedPage)
            assert found.blank.key == (form.id, page.number)
            assert found.inliers >= SETTINGS.min_matches
            turned = np.degrees(np.arctan2(found.homography[1, 0], found.homography[0, 0]))
            assert (turned - 90 * turns + 180) % 360 - 180 == pytest.approx(0, abs=3)


WRONG = {
    "cat": photo_of_a_cat(),
    "noise": np.random.default_rng(1).integers(0, 256, (1240, 874)).astype(np.uint8),
    "foreign": scan_like(foreign_page()),
    "stripes": scan_like(np.tile(np.repeat(np.array([0, 255], np.uint8), 40), (1240, 11))[:, :874]),
}


@pytest.mark.parametrize("wrong", list(WRONG))
def test_what_is_no_registered_form_is_named_so_with_evidence(index: FormIndex, wrong: str) -> None:
    found = index.identify_page(WRONG[wrong])
    assert isinstance(found, UnreadablePage)
    assert found.reason in {Reason.UNKNOWN_FORM, Reason.BLANK_PAGE}
    assert found.evidence
    if wrong in {"cat", "noise", "foreign"}:
        assert found.reason is Reason.UNKNOWN_FORM
        assert float(found.evidence["features_in_agreement"]) < SETTINGS.min_matches


@pytest.mark.parametrize(
    "side",
    [
        np.full((1240, 874), 255, np.uint8),
        np.zeros((1240, 874), np.uint8),
        blank_side(),
        scan_like(np.full((1240, 874), 255, np.uint8), replace(OFFICE, folds=2, specks=15)),
        np.full((3, 5), 200, np.uint8),
    ],
    ids=["white", "black", "scanned", "folded", "tiny"],
)
def test_a_side_with_nothing_printed_is_a_blank_page(index: FormIndex, side: Gray) -> None:
    found = index.identify_page(side)
    assert isinstance(found, UnreadablePage)
    assert found.reason is Reason.BLANK_PAGE
    assert "features" in found.evidence


def test_without_any_form_every_page_is_unknown(pile: list[Form]) -> None:
    found = FormIndex([], SETTINGS).identify_page(scan_like(mark(pile[0], {})))
    assert isinstance(found, UnreadablePage)
    assert found.reason is Reason.UNKNOWN_FORM


def test_fewer_features_in_agreement_than_the_settings_ask_for_are_not_enough(
    pile: list[Form],
) -> None:
    strict = FormIndex(pages_of(pile), Settings(min_matches=5000))
    found = strict.identify_page(scan_like(mark(pile[0], {})))
    assert isinstance(found, UnreadablePage)
    assert found.reason is Reason.UNKNOWN_FORM
    assert found.evidence["most_alike"] == "ward/1"


def test_a_page_taken_for_another_must_fit_it(pile: list[Form], index: FormIndex) -> None:
    page = index.identify_page(scan_like(mark(pile[0], {})))
    assert isinstance(page, IdentifiedPage)
    assert index.as_other(page, index.blank(("land", 1))) is None
    same = index.as_other(page, index.blank(("ward", 1)))
    assert same is not None
    assert same.blank.key == ("ward", 1)


def count_matches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls: list[int] = []

    def counted(source: Features, target: Features) -> Match | None:
        calls.append(1)
        return match_features(source, target)

    monkeypatch.setattr(identify_module, "match_features", counted)
    return calls


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> list[Form]:
    folder = tmp_path_factory.mktemp("hundred")
    return [
        draw_small_form(folder, f"form-{n}", Design(f"FORM NUMBER {n}", seed=100 + n))
        for n in range(100)
    ]


def test_a_hundred_forms_are_no_more_comparisons_than_a_few(
    hundred: list[Form], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = index_of(hundred)
    calls = count_matches(monkeypatch)
    for number in (0, 37, 99):
        calls.clear()
        form = hundred[number]
        found = index.identify_page(scan_like(mark(form, random_choices(form, number))))
        assert isinstance(found, IdentifiedPage)
        assert found.blank.key == (form.id, 1)
        assert len(calls) == 0
        calls.clear()
        skewed = scan_like(
            mark(form, random_choices(form, number)), replace(OFFICE, rotation_deg=9.0)
        )
        found = index.identify_page(skewed)
        assert isinstance(found, IdentifiedPage)
        assert found.blank.key == (form.id, 1)
        assert 1 <= len(calls) <= 8
    for wrong in ("foreign", "cat", "noise"):
        calls.clear()
        assert isinstance(index.identify_page(WRONG[wrong]), UnreadablePage)
        assert len(calls) <= 25


# Codes.


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory) -> list[Form]:
    folder = tmp_path_factory.mktemp("coded")
    return [
        draw_small_form(folder, "alpha", Design(seed=7, code=True)),
        draw_small_form(folder, "beta", Design(seed=7, code=True)),
        draw_small_form(folder, "gamma", Design("QUITE ANOTHER FORM", seed=8, code=True)),
    ]


def with_code(form: Form, text: str, *, seed: int = 1) -> Gray:
    page = mark(form, random_choices(form, seed))
    stamp_code(page, text)
    return scan_like(page, seed=seed)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_code_names_its_page_also_among_twins(coded: list[Form], number: int) -> None:
    form = coded[number]
    scan = with_code(form, encode_code(PageCode(form.id, 1, "0042")))
    found = index_of(coded).identify_page(scan)
    assert isinstance(found, IdentifiedPage)
    assert found.blank.form.id == form.id
    assert found.code == PageCode(form.id, 1, "0042")


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org",
        encode_code(PageCode("registered-nowhere", 1)),
        encode_code(PageCode("gamma", 9)),
    ],
    ids=["foreign", "unknown-form", "unknown-page"],
)
def test_a_code_of_no_registered_page_leaves_the_print_to_speak(
    coded: list[Form], text: str
) -> None:
    found = index_of(coded).identify_page(with_code(coded[2], text))
    assert isinstance(found, IdentifiedPage)
    assert found.blank.form.id == "gamma"


def test_a_code_is_looked_for_only_where_a_form_has_one(
    tmp_path: Path, pile: list[Form], index: FormIndex
) -> None:
    found = index.identify_page(with_code(pile[0], encode_code(PageCode("land", 1))))
    assert isinstance(found, IdentifiedPage)
    assert found.blank.form.id == "ward"
    assert found.code is None
