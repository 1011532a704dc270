"""The ink of a page is the same whether a window of it is asked for or all of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from scanner.forms.template import Form
from scanner.reading.align import AlignedPage, lay_whole, lay_window
from scanner.reading.blank import BlankPage
from scanner.reading.marks import find_tone
from scanner.reading.page_ink import INK, PageInk
from scanner.reading.places import find_places
from tests.synthetic import Gray, align, blank_of, draw_small_form, mark, scan_like, target_box_px


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    return draw_small_form(tmp_path_factory.mktemp("forms"))


@pytest.fixture(scope="module")
def blank(form: Form) -> BlankPage:
    return blank_of(form)


@pytest.fixture(scope="module")
def aligned(form: Form, blank: BlankPage) -> AlignedPage:
    return align(blank, scan_like(with_tail(form, mark(form, {"q1": ["o2"]}), "q2", "o1", 15)))


def with_tail(form: Form, page: Gray, contest: str, option: str, length: float) -> Gray:
    """A stroke out of the middle of a box, up and to the right, so many boxes long."""
    box = target_box_px(form, contest, option)
    start = np.rint(box.center).astype(int)
    end = start + np.rint([box.w * length, -box.h * length / 4]).astype(int)
    cv2.line(page, start.tolist(), end.tolist(), 60, 4, cv2.LINE_AA)
    return page


def page_ink(aligned: AlignedPage) -> PageInk:
    return PageInk(aligned, find_tone(aligned))


@pytest.mark.parametrize("window", [(300, 200, 420, 290), (0, 0, 65, 33), (5, 610, 870, 640)])
def test_a_window_has_the_ink_that_the_whole_page_has_there(
    aligned: AlignedPage, blank: BlankPage, window: tuple[int, int, int, int]
) -> None:
    x0, y0, x1, y1 = window
    alone = page_ink(aligned).added(window)
    whole = page_ink(aligned).added((0, 0, blank.width_px, blank.height_px))[y0:y1, x0:x1]
    assert alone.shape == (y1 - y0, x1 - x0)
    # Blocks laid out by themselves may lie a fraction of a pixel off each other.
    assert ((alone >= INK) != (whole >= INK)).mean() < 0.01


def test_pixels_are_joined_to_the_mean_of_two(aligned: AlignedPage) -> None:
    whole = lay_whole(aligned)[:640, :640].astype(float)
    for every, pairs in (
        ((2, 1), (whole[:, ::2] + whole[:, 1::2]) / 2),
        ((1, 2), (whole[::2] + whole[1::2]) / 2),
    ):
        joined = lay_window(aligned, (0, 0, 640, 640), every).astype(float)
        assert joined.shape == pairs.shape
        assert abs(joined - pairs).mean() < 1.5


@pytest.mark.parametrize("length", [2, 15])
def test_a_tail_belongs_to_its_mark_however_far_it_runs(
    form: Form, blank: BlankPage, length: float
) -> None:
    scan = scan_like(with_tail(form, mark(form, {}), "q2", "o1", length))
    page = page_ink(align(blank, scan))
    ids = [(contest.id, option.id) for contest, option in blank.targets]
    own = ids.index(("q2", "o1"))
    x0, y0, x1, y1 = find_places(blank).targets[own].ring
    ink = page.added((x0, y0, x1, y1)) >= INK
    of_others = page.of_others(own + 1, (x0, y0, x1, y1))
    assert of_others[ink].mean() > 0.95
    assert not page.of_others(own, (x0, y0, x1, y1))[ink].any()
