"""What people draw is never overlooked, and what paper and scanners add is never a mark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.ballot import ContestReading, ContestState, MarkState, Reason, TargetReading
from scanner.forms.catalog import DEFAULT_FOLDER, find_form
from scanner.forms.damage import Damage
from scanner.forms.pen import MarkKind, MarkStyle, Pen
from scanner.forms.template import Rule
from scanner.reading.blank import BlankPage
from scanner.reading.decide import decide_contest
from tests.synthetic import (
    OFFICE,
    Design,
    Gray,
    blank_of,
    blank_page,
    draw_small_form,
    form_dpi,
    mark,
    scan_like,
    target_box_px,
)
from tests.synthetic import (
    read_targets as read,
)

ROOT = Path(__file__).parents[1]

CHOICES = {"q1": ["o1"], "q2": ["o2"], "q3": ["o3"], "q4": ["o2"], "q5": ["o1"]}
"""The last question, q6, stays blank."""
MARKED = {f"{contest}/{option}" for contest, options in CHOICES.items() for option in options}
HANDS = [
    MarkStyle(kind, pen, pressure)
    for kind in (MarkKind.CROSS, MarkKind.TICK, MarkKind.FILL, MarkKind.SLASH)
    for pen in Pen
    for pressure in (0.6, 1.0, 1.3)
]
DOTS = [MarkStyle(MarkKind.DOT, pen) for pen in Pen]
LIGHT = [
    MarkStyle(kind, Pen.PENCIL, pressure)
    for kind in (MarkKind.CROSS, MarkKind.TICK, MarkKind.SLASH)
    for pressure in (0.35, 0.45)
]
SCANS = {
    "office": OFFICE,
    "bilevel": replace(OFFICE, bilevel=True),
    "jpeg": replace(OFFICE, jpeg_quality=30, noise=2.5),
}


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> BlankPage:
    return blank_of(draw_small_form(tmp_path_factory.mktemp("forms")))


def contest(blank: BlankPage, targets: dict[str, TargetReading], name: str) -> ContestReading:
    one = blank.form.contest(name)
    assert one is not None
    mine = [reading for reading in targets.values() if reading.contest == name]
    return decide_contest(one, mine, Rule())


def name_of(style: MarkStyle) -> str:
    return f"{style.kind.value}-{style.pen.value}-{style.pressure}"


@pytest.mark.parametrize("style", HANDS, ids=name_of)
def test_an_ordinary_mark_is_never_overlooked(blank: BlankPage, style: MarkStyle) -> None:
    seed = HANDS.index(style)
    scan = scan_like(mark(blank.form, CHOICES, style=style, seed=seed), seed=seed)
    for target, reading in read(blank, scan).items():
        if target in MARKED:
            assert reading.state is not MarkState.UNMARKED, (target, reading)
        else:
            assert reading.state is not MarkState.MARKED, (target, reading)


def test_nearly_all_clear_crosses_are_read_without_a_person(blank: BlankPage) -> None:
    states = []
    for seed in range(6):
        scan = scan_like(mark(blank.form, CHOICES, seed=seed), seed=seed)
        targets = read(blank, scan)
        states += [targets[name].state is MarkState.MARKED for name in MARKED]
        states += [
            reading.state is MarkState.UNMARKED
            for name, reading in targets.items()
            if name not in MARKED
        ]
    assert np.mean(states) > 0.99


def test_a_cross_in_a_roomy_cell_of_a_table_counts_like_one_in_a_box() -> None:
    form = find_form(ROOT / DEFAULT_FOLDER, "bao_lam_huyen")
    rows = [contest for contest in form.contests if contest.options[0].shape == "cell"]
    assert len(rows) == 8
    right = []
    for seed in range(3):
        choices = {row.id: [row.options[(seed + place) % 5].id] for place, row in enumerate(rows)}
        targets = read(blank_of(form), scan_like(mark(form, choices, seed=seed), seed=seed))
        for row in rows:
            for option in row.options:
                state = targets[f"{row.id}/{option.id}"].state
                if option.id in choices[row.id]:
                    assert state is MarkState.MARKED, (row.id, option.id)
                else:
                    assert state is not MarkState.MARKED, (row.id, option.id)
                    right.append(state is MarkState.UNMARKED)
    assert np.mean(right) > 0.97


@pytest.mark.parametrize("pen", [Pen.GEL, Pen.BALLPOINT])
def test_the_tail_of_a_tick_in_the_next_cell_is_never_silently_a_mark(pen: Pen) -> None:
    form = find_form(ROOT / DEFAULT_FOLDER, "bao_lam_huyen")
    rows = [contest for contest in form.contests if contest.options[0].shape == "cell"]
    blank, style = blank_of(form), MarkStyle(MarkKind.TICK, pen)
    tails = 0
    for seed in range(3):
        choices = {row.id: [row.options[place % 4].id] for place, row in enumerate(rows)}
        targets = read(blank, scan_like(mark(form, choices, seed=seed, style=style), seed=seed))
        for row in rows:
            one = contest(blank, targets, row.id)
            assert one.marked == tuple(choices[row.id]) or one.state is not ContestState.VOTED
            tails += sum(
                targets[f"{row.id}/{option.id}"].state is MarkState.DOUBTFUL
                for option in row.options
            )
    assert tails > 0


def test_small_pencil_crosses_in_a_roomy_cell_are_never_lost() -> None:
    form = find_form(ROOT / DEFAULT_FOLDER, "bao_lam_xa")
    row = next(contest for contest in form.contests if contest.options[0].shape == "cell")
    cell, blank = row.options[2].box, blank_of(form)
    scale = form_dpi(form) / 25.4
    for darkness in (35, 60, 110):
        page = blank_page(form)
        x, y = (cell.x + cell.w / 2) * scale, (cell.y + cell.h / 2) * scale
        arm = 1.5 * scale
        for way in (-1, 1):
            start, end = (x - arm, y - way * arm), (x + arm, y + way * arm)
            stroke = np.full_like(page, 255)
            ends = [tuple(round(8 * value) for value in point) for point in (start, end)]
            cv2.line(stroke, ends[0], ends[1], 255 - darkness, 4, cv2.LINE_AA, shift=3)
            page = np.minimum(page, stroke)
        reading = read(blank, scan_like(page))[f"{row.id}/{row.options[2].id}"]
        assert reading.state is not MarkState.UNMARKED, (darkness, reading)


def test_a_dot_on_the_number_in_a_box_is_never_lost(tmp_path: Path) -> None:
    form = draw_small_form(tmp_path, "numbers", Design(numbers_inside=True))
    blank, scale = blank_of(form), form_dpi(form) / 25.4
    clean = read(blank, scan_like(blank_page(form)))
    assert all(reading.state is MarkState.UNMARKED for reading in clean.values())
    for seed, (one, option) in enumerate(blank.targets[:6]):
        page = blank_page(form)
        middle = ((option.x + option.w / 2) * scale, (option.y + option.h / 2) * scale)
        center = round(middle[0]), round(middle[1])
        cv2.circle(page, center, round(0.9 * scale), 60, -1, cv2.LINE_AA)
        found = read(blank, scan_like(page, seed=seed))
        assert found[f"{one.id}/{option.id}"].state is not MarkState.UNMARKED


@pytest.mark.parametrize("style", [*DOTS, *LIGHT], ids=name_of)
@pytest.mark.parametrize("scan_kind", ["office", "jpeg"])
def test_a_dot_or_a_light_pencil_line_is_marked_or_doubtful(
    blank: BlankPage, style: MarkStyle, scan_kind: str
) -> None:
    for seed in range(2):
        page = mark(blank.form, CHOICES, style=style, seed=seed)
        targets = read(blank, scan_like(page, SCANS[scan_kind], seed=seed))
        for name in MARKED:
            assert targets[name].state is not MarkState.UNMARKED, (name, targets[name])


@pytest.mark.parametrize("scan_kind", list(SCANS))
def test_marks_are_read_the_same_from_any_kind_of_scan(blank: BlankPage, scan_kind: str) -> None:
    targets = read(blank, scan_like(mark(blank.form, CHOICES), SCANS[scan_kind]))
    assert {name for name, r in targets.items() if r.state is MarkState.MARKED} == MARKED
    assert all(not reading.reasons for reading in targets.values())


DIRT = {
    "noise": Damage(noise=9, paper=240),
    "specks": Damage(specks=150, paper=240),
    "streaks": Damage(streaks=25, paper=240),
    "fold": Damage(folds=6, paper=240),
    "grey-paper": Damage(paper=180, black=60, uneven_light=0.2),
    "blur": Damage(blur_mm=0.18, paper=235, black=50),
    "fax": Damage(bilevel=True, specks=100, noise=8),
    "small-jpeg": Damage(jpeg_quality=12, noise=3),
}


@pytest.mark.parametrize("dirt", list(DIRT))
def test_dirt_in_an_empty_box_is_never_a_mark(blank: BlankPage, dirt: str) -> None:
    for seed in range(4):
        targets = read(blank, scan_like(blank.read_original(), DIRT[dirt], seed=seed))
        for name, reading in targets.items():
            assert reading.state is not MarkState.MARKED, (name, seed, reading)


@pytest.mark.parametrize("dirt", ["noise", "grey-paper", "blur", "small-jpeg"])
def test_an_evenly_poor_scan_of_an_empty_form_is_read_as_empty(blank: BlankPage, dirt: str) -> None:
    targets = read(blank, scan_like(blank.read_original(), DIRT[dirt]))
    assert {reading.state for reading in targets.values()} == {MarkState.UNMARKED}


@pytest.mark.parametrize("at", [0.2, 0.5, 0.8])
def test_a_fold_right_through_a_row_of_boxes_is_never_a_mark(blank: BlankPage, at: float) -> None:
    page = blank.read_original().astype(np.float32)
    for name in ("o1", "o2", "o3"):
        box = target_box_px(blank.form, "q2", name)
        away = (np.arange(page.shape[0]) - (box.y + at * box.h)) / 2.0
        page -= 45 * np.exp(-(away**2))[:, None]
    scan = scan_like(np.clip(page, 0, 255).astype(np.uint8))
    for name, reading in read(blank, scan).items():
        assert reading.state is not MarkState.MARKED, (name, reading)


@pytest.mark.parametrize("share", [0.05, 0.12, 0.2])
def test_what_shows_through_from_the_back_is_never_a_mark(blank: BlankPage, share: float) -> None:
    everything = {c.id: [o.id for o in c.options] for c in blank.form.contests}
    back = np.ascontiguousarray(
        mark(blank.form, everything, style=MarkStyle(MarkKind.FILL, Pen.FELT))[:, ::-1]
    )
    seen = replace(OFFICE, show_through=share)
    targets = read(blank, scan_like(blank.read_original(), seen, back=back))
    for name, reading in targets.items():
        assert reading.state is not MarkState.MARKED, (name, reading)


def test_print_of_the_back_within_a_box_stays_below_a_mark(blank: BlankPage) -> None:
    """The back's text, mirrored, as dark as thin paper lets it through."""
    rng = np.random.default_rng(1)
    back = np.full_like(blank.read_original(), 255)
    for _ in range(60):
        at = rng.integers((0, 40), (700, 1240)).tolist()
        cv2.putText(back, "commune", at, cv2.FONT_HERSHEY_COMPLEX, 0.8, 0, 2, cv2.LINE_AA)
    scan = scan_like(blank.read_original(), replace(OFFICE, show_through=0.15), back=back)
    states = {reading.state for reading in read(blank, scan).values()}
    assert MarkState.MARKED not in states


# A person is asked.


def blank_contest_with(blank: BlankPage, page: Gray) -> ContestReading:
    """What q6 is read as, of which no box was marked."""
    return contest(blank, read(blank, scan_like(page)), "q6")


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_mark_beside_the_box_of_a_blank_contest_is_a_doubt(blank: BlankPage, side: str) -> None:
    page = mark(blank.form, CHOICES)
    box = target_box_px(blank.form, "q6", "o2")
    x = round(box.x - 15 if side == "left" else box.right + 1)
    y0, y1 = round(box.y + 4), round(box.bottom - 4)
    cv2.line(page, (x, y0), (x + 13, y1), 30, 3, cv2.LINE_AA)
    cv2.line(page, (x + 13, y0), (x, y1), 30, 3, cv2.LINE_AA)
    result = blank_contest_with(blank, page)
    assert result.marked == ()
    assert result.state is ContestState.IN_DOUBT
    assert {Reason.MARK_BESIDE_BOX, Reason.INK_WITHOUT_MARK} & set(result.reasons)
    if side == "left":
        assert Reason.MARK_BESIDE_BOX in result.reasons


def test_a_blank_contest_with_nothing_near_is_blank(blank: BlankPage) -> None:
    """Else the tests around this one would say nothing."""
    result = blank_contest_with(blank, mark(blank.form, CHOICES))
    assert result.state is ContestState.BLANK
    assert result.reasons == (Reason.BLANK_CONTEST,)


@pytest.mark.parametrize("how", ["circled", "underlined", "struck-out"])
def test_a_label_circled_underlined_or_struck_out_in_a_blank_contest_is_a_doubt(
    blank: BlankPage, how: str
) -> None:
    page = mark(blank.form, CHOICES)
    box = target_box_px(blank.form, "q6", "o2")
    left, right = round(box.right + 8), round(box.right + 180)
    middle = round(box.y + box.h / 2)
    if how == "circled":
        center = ((left + right) // 2, middle)
        cv2.ellipse(page, center, (95, 19), 0, 0, 360, 40, 3, cv2.LINE_AA)
    elif how == "underlined":
        cv2.line(page, (left, middle + 13), (right, middle + 15), 40, 3, cv2.LINE_AA)
    else:
        cv2.line(page, (left, middle), (right, middle + 2), 40, 3, cv2.LINE_AA)
    result = blank_contest_with(blank, page)
    assert result.marked == ()
    assert result.state is ContestState.IN_DOUBT, (how, result)


def test_a_box_circled_instead_of_marked_is_a_doubt(blank: BlankPage) -> None:
    page = mark(blank.form, CHOICES)
    box = target_box_px(blank.form, "q6", "o3")
    center = round(box.x + box.w / 2), round(box.y + box.h / 2)
    cv2.circle(page, center, 23, 40, 3, cv2.LINE_AA)
    result = blank_contest_with(blank, page)
    assert result.state is ContestState.IN_DOUBT, result


def test_a_rubbed_out_outline_is_a_doubt(blank: BlankPage) -> None:
    page = mark(blank.form, CHOICES)
    box = target_box_px(blank.form, "q6", "o1")
    x0, y0, x1, y1 = (round(v) for v in (box.x - 5, box.y - 5, box.right + 5, box.bottom + 5))
    page[y0:y1, x0:x1] = np.maximum(page[y0:y1, x0:x1], 225)
    targets = read(blank, scan_like(page))
    assert targets["q6/o1"].state is MarkState.DOUBTFUL
    assert Reason.PRINT_MISMATCH in targets["q6/o1"].reasons
    assert contest(blank, targets, "q6").state is ContestState.IN_DOUBT


def test_a_black_blob_over_a_box_and_its_label_is_a_doubt(blank: BlankPage) -> None:
    page = mark(blank.form, CHOICES)
    box = target_box_px(blank.form, "q6", "o2")
    page[round(box.y - 8) : round(box.bottom + 8), round(box.x - 8) : round(box.right + 220)] = 15
    targets = read(blank, scan_like(page))
    assert targets["q6/o2"].state is MarkState.DOUBTFUL
    assert contest(blank, targets, "q6").state is ContestState.IN_DOUBT


@pytest.mark.parametrize("side", ["right", "left", "bottom"])
def test_boxes_cut_off_by_the_edge_of_the_scan_are_not_read(blank: BlankPage, side: str) -> None:
    scan = scan_like(mark(blank.form, CHOICES), Damage())
    box = target_box_px(blank.form, "q6", "o2")
    other = target_box_px(blank.form, "q3", "o2")
    cut = {
        "right": scan[:, : round(box.x + box.w / 2)],
        "left": scan[:, round(other.x + other.w / 2) :],
        "bottom": scan[: round(box.y + box.h / 2)],
    }[side]
    targets = read(blank, np.ascontiguousarray(cut))
    gone = {
        "right": {"q4", "q5", "q6"},
        "left": {"q1", "q2", "q3"},
        "bottom": {"q3", "q6"},
    }[side]
    for name, reading in targets.items():
        contest_id, option = name.split("/")
        if contest_id not in gone:
            assert Reason.OUTSIDE_SCAN not in reading.reasons, name
        elif side != "bottom" or option in {"o2", "o3"}:
            assert Reason.OUTSIDE_SCAN in reading.reasons, name
            assert reading.state is MarkState.DOUBTFUL


def test_a_line_through_all_boxes_of_a_question_is_never_one_vote(blank: BlankPage) -> None:
    page = mark(blank.form, {})
    top = target_box_px(blank.form, "q2", "o1")
    bottom = target_box_px(blank.form, "q2", "o3")
    start, end = (top.x + 8, top.y - 12), (bottom.x + 18, bottom.bottom + 12)
    a, b = ((round(x), round(y)) for x, y in (start, end))
    cv2.line(page, a, b, 40, 3, cv2.LINE_AA)
    result = contest(blank, read(blank, scan_like(page)), "q2")
    assert len(result.marked) != 1, result
    assert result.state in {ContestState.IN_DOUBT, ContestState.OVERVOTE}, result


def test_a_long_line_that_crosses_one_box_in_passing_is_a_doubt(blank: BlankPage) -> None:
    """A comment or a crossed-out page; the extent of the stroke tells it from a mark."""
    page = mark(blank.form, {})
    box = target_box_px(blank.form, "q2", "o2")
    start = round(box.x - 50), round(box.y - 90)
    cv2.line(page, start, (round(box.x + 90), round(box.y + 130)), 40, 3, cv2.LINE_AA)
    result = contest(blank, read(blank, scan_like(page)), "q2")
    assert result.state is ContestState.IN_DOUBT, result
