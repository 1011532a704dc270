"""A page image becomes the states of its targets, or a reason why not; never a wrong vote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.ballot import MarkState, PageReading, Reason, UnreadablePage
from scanner.forms.codes import PageCode, encode_code
from scanner.forms.damage import Damage
from scanner.forms.template import Form
from scanner.geometry import apply_homography
from scanner.reading.identify import FormIndex
from scanner.reading.interpret import Reader
from scanner.reading.lookalike import Verdict
from scanner.settings import Settings
from tests.synthetic import (
    OFFICE,
    Design,
    Gray,
    as_page,
    blank_side,
    draw_small_form,
    foreign_page,
    form_dpi,
    mark,
    moved_column,
    photo_of_a_cat,
    random_choices,
    scan_like,
    stamp_code,
)

Choices = Mapping[str, Sequence[str]]
TWO_PAGES = Design("OPINION OF THE COURT", pages=2, seed=2)
LIGHT = Damage(rotation_deg=0.3, noise=1, blur_mm=0.05, paper=245, black=20)
DAMAGES = {
    "clean": Damage(),
    "light": LIGHT,
    "office": OFFICE,
    "bilevel": replace(LIGHT, bilevel=True),
}


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return draw_small_form(tmp_path_factory.mktemp("forms"))


@pytest.fixture(scope="module")
def reader(form: Form) -> Reader:
    return Reader([form])


def read(reader: Reader, scan: Gray) -> PageReading:
    reading = reader.read(as_page(scan))
    assert isinstance(reading, PageReading), reading
    return reading


def marked(reading: PageReading) -> set[str]:
    return {t.target for t in reading.targets if t.state is MarkState.MARKED}


def wanted(choices: Choices) -> set[str]:
    return {f"{contest}/{option}" for contest, options in choices.items() for option in options}


def resized(image: Gray, zoom: float) -> Gray:
    method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=method).astype(np.uint8)


# A page is read fully.


@pytest.mark.parametrize("dpi", [100, 150, 200, 300])
@pytest.mark.parametrize("damage", list(DAMAGES))
def test_a_good_scan_is_read_fully_and_without_a_person(
    form: Form, reader: Reader, damage: str, dpi: int
) -> None:
    choices = random_choices(form, dpi)
    page = resized(mark(form, choices), dpi / form_dpi(form))
    reading = read(reader, scan_like(page, DAMAGES[damage], dpi=dpi))
    assert marked(reading) == wanted(choices)
    assert all(target.reasons == () for target in reading.targets)
    assert (reading.form, reading.page, reading.reasons) == (form.id, 1, ())
    assert reading.form_hash == form.content_hash
    assert [target.target for target in reading.targets] == [
        f"{contest.id}/{option.id}" for contest, option in form.targets()
    ]


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_any_of_the_four_ways_up_gives_the_same_votes(
    form: Form, reader: Reader, turns: int
) -> None:
    choices = random_choices(form, 8)
    scan = np.ascontiguousarray(np.rot90(scan_like(mark(form, choices)), turns))
    reading = read(reader, scan)
    assert marked(reading) == wanted(choices)
    assert reading.rotation == 90 * turns


@pytest.mark.parametrize("scale", [0.71, 0.96, 1.04])
def test_a_print_that_was_scaled_is_read_fully(form: Form, reader: Reader, scale: float) -> None:
    choices = random_choices(form, 9)
    scan = scan_like(mark(form, choices), replace(LIGHT, scale=scale))
    assert marked(read(reader, scan)) == wanted(choices)


def test_a_small_sheet_on_a_large_glass_is_read_fully(form: Form, reader: Reader) -> None:
    choices = random_choices(form, 10)
    glass = np.full((1754, 1240), 250, np.uint8)
    glass[300:1540, 200:1074] = scan_like(mark(form, choices))
    assert marked(read(reader, glass)) == wanted(choices)


@pytest.mark.parametrize("reduction", [1, 2, 4])
def test_places_are_given_in_pixels_of_the_full_size_scan(
    form: Form, reader: Reader, reduction: int
) -> None:
    reading = reader.read(as_page(mark(form, {}), reduction=reduction))
    assert isinstance(reading, PageReading)
    matrix = np.array(reading.homography).reshape(3, 3)
    corner = np.array([[874.0 * reduction, 1240.0 * reduction]])
    assert apply_homography(matrix, corner)[0] == pytest.approx([148, 210], abs=0.6)


def test_several_forms_and_pages_in_one_pile_are_told_apart(form: Form, tmp_path: Path) -> None:
    court = draw_small_form(tmp_path, "court", TWO_PAGES)
    reader = Reader([court, form])
    for one in (form, court):
        for page in one.pages:
            choices = {
                contest: options
                for contest, options in random_choices(one, 4).items()
                if any(c.id == contest for c, _ in one.targets_on(page.number))
            }
            reading = read(reader, scan_like(mark(one, choices, number=page.number)))
            assert (reading.form, reading.page) == (one.id, page.number)
            assert marked(reading) == wanted(choices)
            assert reading.reasons == ()


def test_a_page_with_text_only_is_read_as_having_no_targets(tmp_path: Path) -> None:
    court = draw_small_form(tmp_path, "court", TWO_PAGES)
    first = tuple(c for c in court.contests if c.options[0].page == 1)
    text_behind = court.model_copy(update={"contests": first})
    text_behind._folder = court.folder
    reading = read(Reader([text_behind]), scan_like(mark(court, {}, number=2)))
    assert reading.page == 2
    assert reading.targets == ()


# Another version of the form is never read as this one.


def states(reading: PageReading, contests: Sequence[str]) -> set[MarkState]:
    return {target.state for target in reading.targets if target.contest in contests}


@pytest.mark.parametrize("damage", list(DAMAGES))
def test_where_a_column_has_moved_by_a_line_nothing_is_read(
    reader: Reader, tmp_path: Path, damage: str
) -> None:
    other = moved_column(tmp_path)
    for seed in range(3):
        scan = scan_like(mark(other, random_choices(other, seed), seed=seed), DAMAGES[damage])
        result = reader.read(as_page(scan))
        if isinstance(result, UnreadablePage):
            continue
        moved = [t for t in result.targets if t.contest in ("q4", "q5", "q6")]
        assert {t.state for t in moved} == {MarkState.DOUBTFUL}
        assert all({Reason.PRINT_MISMATCH, Reason.MISALIGNED} & set(t.reasons) for t in moved)
        assert any(Reason.PRINT_MISMATCH in t.reasons for t in moved)
        assert Reason.OTHER_VERSION in result.reasons


@pytest.mark.parametrize("damage", list(DAMAGES))
def test_where_names_have_changed_places_nothing_is_read_of_them(
    reader: Reader, tmp_path: Path, damage: str
) -> None:
    other = draw_small_form(tmp_path, "swapped", Design(swapped=True))
    everywhere = {f"q{n}": ["o1" if n % 2 else "o2"] for n in range(1, 7)}
    result = reader.read(as_page(scan_like(mark(other, everywhere), DAMAGES[damage])))
    if isinstance(result, PageReading):
        swapped = [t for t in result.targets if t.option in ("o1", "o2")]
        assert {t.state for t in swapped} == {MarkState.DOUBTFUL}
        assert all(Reason.PRINT_MISMATCH in t.reasons for t in swapped)


@pytest.mark.parametrize("family", ["Ng.", "Nguyen", "Nguyen Van"])
@pytest.mark.parametrize("damage", ["clean", "office"])
def test_names_that_begin_alike_are_not_taken_for_each_other(
    tmp_path: Path, damage: str, family: str
) -> None:
    design = Design(options=2, family=family, seed=4)
    reader = Reader([draw_small_form(tmp_path, "names", design)])
    other = draw_small_form(tmp_path, "swapped", replace(design, swapped=True))
    result = reader.read(as_page(scan_like(mark(other, {"q1": ["o1"]}), DAMAGES[damage])))
    if isinstance(result, PageReading):
        assert [t.target for t in result.targets if t.state is not MarkState.DOUBTFUL] == []


@pytest.mark.parametrize("damage", list(DAMAGES))
def test_another_question_above_the_same_options_is_not_answered(
    form: Form, reader: Reader, tmp_path: Path, damage: str
) -> None:
    other = draw_small_form(tmp_path, "reworded", Design(reworded=(2, 5)))
    choices = {f"q{n}": ["o2"] for n in range(1, 7)}
    reading = read(reader, scan_like(mark(other, choices), DAMAGES[damage]))
    assert states(reading, ("q2", "q5")) == {MarkState.DOUBTFUL}
    assert all(
        Reason.PRINT_MISMATCH in target.reasons
        for target in reading.targets
        if target.contest in ("q2", "q5")
    )
    others = {name for name in wanted(choices) if name[:2] not in ("q2", "q5")}
    assert marked(reading) == others


# Forms that are nearly the same.

TITLES = ("SURVEY OF THE WARD OFFICE", "SURVEY OF THE LAND OFFICE")


def near_twins(folder: Path, how: str) -> list[Form]:
    designs = {
        "title": [Design(title=title, footer="Page 1") for title in TITLES],
        "footer": [Design(footer="Sheet for district one"), Design(footer="Sheet for village six")],
        "order": [Design(), Design(swapped=True)],
        "column": [Design(), Design(moved_column=True)],
    }[how]
    return [draw_small_form(folder, f"{how}-{n}", one) for n, one in enumerate(designs)]


@pytest.mark.parametrize("how", ["title", "footer", "order", "column"])
def test_forms_that_differ_in_one_thing_only_are_never_taken_for_each_other(
    tmp_path: Path, how: str
) -> None:
    twins = near_twins(tmp_path, how)
    readers = [Reader(twins), Reader(twins[::-1])]
    told = 0
    for seed, one in enumerate([*twins, *twins, *twins]):
        choices = random_choices(one, seed)
        scan = scan_like(mark(one, choices, seed=seed), [OFFICE, LIGHT][seed % 2], seed=seed)
        reading = read(readers[seed // 3], scan)
        if Reason.FORM_UNCERTAIN in reading.reasons:
            continue
        assert reading.form == one.id
        assert marked(reading) == wanted(choices)
        told += 1
    assert told >= 5


@pytest.mark.parametrize("how", ["title", "order"])
def test_near_twins_are_not_confused_on_a_fax(tmp_path: Path, how: str) -> None:
    twins = near_twins(tmp_path, how)
    reader = Reader(twins)
    for one in twins:
        reading = read(reader, scan_like(mark(one, {"q1": ["o1"]}), DAMAGES["bilevel"]))
        assert reading.form == one.id or Reason.FORM_UNCERTAIN in reading.reasons


def test_identical_twins_are_a_question_for_a_person(form: Form, tmp_path: Path) -> None:
    twin = draw_small_form(tmp_path, "twin")
    reader = Reader([form, twin])
    for one in (form, twin):
        reading = read(reader, scan_like(mark(one, random_choices(one, 3))))
        assert Reason.FORM_UNCERTAIN in reading.reasons
        assert {reading.form, *reading.alternatives} == {"small", "twin"}


def test_where_the_telling_print_is_hidden_a_person_is_asked(tmp_path: Path) -> None:
    twins = near_twins(tmp_path, "title")
    page = mark(twins[0], {"q1": ["o1"]})
    page[40:100, 40:640] = 30
    reading = read(Reader(twins), scan_like(page))
    assert Reason.FORM_UNCERTAIN in reading.reasons
    assert len(reading.alternatives) == 1


# Codes.


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory) -> list[Form]:
    folder = tmp_path_factory.mktemp("coded")
    return [
        draw_small_form(folder, "alpha", Design(code=True)),
        draw_small_form(folder, "beta", Design(code=True)),
        draw_small_form(folder, "moved", Design(code=True, moved_column=True)),
        draw_small_form(folder, "gamma", Design("ANOTHER FORM", seed=8, code=True)),
    ]


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_code_settles_which_form_it_is_also_among_twins(coded: list[Form], number: int) -> None:
    form = coded[number]
    choices = random_choices(form, number)
    page = mark(form, choices)
    stamp_code(page, encode_code(PageCode(form.id, 1, "0017")))
    reading = read(Reader(coded), scan_like(page))
    assert (reading.form, reading.serial) == (form.id, "0017")
    assert reading.reasons == ()
    assert marked(reading) == wanted(choices)


def test_a_foreign_code_names_nothing(coded: list[Form]) -> None:
    choices = random_choices(coded[3], 2)
    page = mark(coded[3], choices)
    stamp_code(page, "https://example.org/vote")
    reading = read(Reader(coded), scan_like(page))
    assert (reading.form, reading.serial) == ("gamma", None)
    assert marked(reading) == wanted(choices)


@pytest.mark.parametrize("lie", ["gamma", "moved"])
def test_a_code_that_lies_about_the_form_is_never_a_clean_reading(
    coded: list[Form], lie: str
) -> None:
    page = mark(coded[0], {f"q{n}": ["o2"] for n in range(1, 7)})
    stamp_code(page, encode_code(PageCode(lie, 1, "1")))
    reading = Reader(coded).read(as_page(scan_like(page)))
    if isinstance(reading, UnreadablePage):
        assert reading.reason is Reason.UNKNOWN_FORM
        assert reading.evidence
        return
    in_doubt = any(target.reasons for target in reading.targets)
    assert reading.reasons or in_doubt, reading
    if reading.form == "moved":
        assert states(reading, ("q4", "q5", "q6")) == {MarkState.DOUBTFUL}


def test_a_code_of_the_wrong_page_is_never_a_clean_reading(tmp_path: Path) -> None:
    court = draw_small_form(tmp_path, "court", replace(TWO_PAGES, code=True))
    page = mark(court, random_choices(court, 1), number=1)
    stamp_code(page, encode_code(PageCode("court", 2)))
    reading = Reader([court]).read(as_page(scan_like(page)))
    assert isinstance(reading, UnreadablePage) or reading.reasons


# What is no page of the form.

WRONG = {
    "cat": photo_of_a_cat(),
    "noise": np.random.default_rng(1).integers(0, 256, (1240, 874)).astype(np.uint8),
    "foreign": scan_like(foreign_page()),
}


@pytest.mark.parametrize("wrong", list(WRONG))
def test_a_wrong_page_is_refused_with_evidence(reader: Reader, wrong: str) -> None:
    result = reader.read(as_page(WRONG[wrong]))
    assert isinstance(result, UnreadablePage)
    assert result.reason is Reason.UNKNOWN_FORM
    assert result.evidence


def test_a_blank_side_is_told_from_an_unknown_form(reader: Reader) -> None:
    result = reader.read(as_page(blank_side()))
    assert isinstance(result, UnreadablePage)
    assert result.reason is Reason.BLANK_PAGE


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_form_of_the_same_layout_with_other_words_is_never_read(
    reader: Reader, tmp_path: Path, seed: int
) -> None:
    """The boxes are where ours are, the title is ours; every question is another."""
    other = draw_small_form(tmp_path, "other", Design(seed=seed))
    result = reader.read(as_page(scan_like(mark(other, random_choices(other, seed)))))
    if isinstance(result, PageReading):
        assert Reason.OTHER_VERSION in result.reasons
        assert {target.state for target in result.targets} == {MarkState.DOUBTFUL}


def test_half_a_page_is_never_read_as_a_whole_one(form: Form, reader: Reader) -> None:
    page = scan_like(mark(form, {f"q{n}": ["o1"] for n in range(1, 7)}))
    result = reader.read(as_page(np.ascontiguousarray(page[:, :437])))
    if isinstance(result, PageReading):
        assert states(result, ("q4", "q5", "q6")) == {MarkState.DOUBTFUL}
        assert not {t for t in marked(result) if t[:2] in ("q4", "q5", "q6")}


def test_two_sheets_in_one_picture_are_never_read_as_one_clean_sheet(
    form: Form, reader: Reader
) -> None:
    one = mark(form, {f"q{n}": ["o1"] for n in range(1, 7)})
    two = mark(form, {f"q{n}": ["o2"] for n in range(1, 7)})
    result = reader.read(as_page(scan_like(np.hstack([one, two]))))
    if isinstance(result, PageReading):
        got = marked(result)
        assert got in ({f"q{n}/o1" for n in range(1, 7)}, {f"q{n}/o2" for n in range(1, 7)})


# The same image gives the same reading.


def test_reading_again_or_in_another_order_changes_nothing(form: Form, tmp_path: Path) -> None:
    twins = [*near_twins(tmp_path, "title"), form]
    scans = [scan_like(mark(one, random_choices(one, 6))) for one in twins]
    scans += [WRONG["foreign"], blank_side()]
    reader = Reader(twins)
    first = [reader.read(as_page(scan)) for scan in scans]
    again = [reader.read(as_page(scan)) for scan in scans]
    backwards = [Reader(twins).read(as_page(scan)) for scan in scans[::-1]][::-1]
    assert first == again == backwards


def test_what_is_kept_on_disk_changes_nothing(form: Form, tmp_path: Path) -> None:
    scan = scan_like(mark(form, random_choices(form, 6)))
    results = [Reader([form], cache=folder).read(as_page(scan)) for folder in (None, tmp_path)]
    results.append(Reader([form], cache=tmp_path).read(as_page(scan)))
    assert results[0] == results[1] == results[2]


def test_the_picture_is_not_changed_by_reading_it(form: Form, reader: Reader) -> None:
    scan = scan_like(mark(form, {}))
    before = scan.copy()
    reader.read(as_page(scan))
    assert np.array_equal(scan, before)


def test_settings_decide_what_is_clear(form: Form) -> None:
    scan = scan_like(mark(form, {"q1": ["o1"]}))
    strict = Reader([form], Settings(min_print_match=1.0))
    assert {target.state for target in read(strict, scan).targets} == {MarkState.DOUBTFUL}


def test_a_reader_says_how_coarse_a_scan_may_be(form: Form, tmp_path: Path) -> None:
    tiny = draw_small_form(tmp_path, "tiny", Design(width_mm=296, height_mm=420))
    # Nine tenths of A4, on which A5 may lie, and of A3, at the working resolution.
    assert Reader([form]).min_long_side_px == pytest.approx(1579, abs=2)
    assert Reader([form, tiny]).min_long_side_px == pytest.approx(2232, abs=4)
    assert Reader([]).min_long_side_px == 0


def test_a_look_alike_that_fits_better_but_cannot_be_laid_is_never_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twins = near_twins(tmp_path, "title")
    monkeypatch.setattr("scanner.reading.interpret.compare", lambda *_: Verdict.OTHER)
    monkeypatch.setattr(FormIndex, "as_other", lambda *_: None)
    reading = read(Reader(twins), scan_like(mark(twins[0], {"q1": ["o1"]})))
    assert Reason.FORM_UNCERTAIN in reading.reasons
    assert set(reading.alternatives) == {form.id for form in twins} - {reading.form}
