"""The same paper through two scanners, and other voters' papers with the very same answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np

from scanner.forms.template import Form, Page
from tests.world.canvas import Canvas, chance
from tests.world.habits import Voter, place_of
from tests.world.people import draw_deed
from tests.world.scanners import Placing, Scanner, encode, lay_sheet, scan
from tests.world.sheets import printed_form

PAPER_DPI = 300.0
Votes = Mapping[str, Sequence[int]]
"""By contest the places of the options chosen, among those on the page."""


def choose_votes(form: Form, page: Page, seed: int) -> dict[str, list[int]]:
    """One option of each contest of a page."""
    counts = {c.id: sum(o.page == page.number for o in c.options) for c in form.contests}
    return {
        contest: [int(chance(seed, "votes", contest).integers(count))]
        for contest, count in counts.items()
        if count
    }


def fill_paper(form: Form, page: Page, voter: Voter, votes: Votes, seed: int) -> Canvas:
    """One side of a new copy of a form with the marks of one voter."""
    print_ = printed_form(form.blank_path(page), page.width_mm, round(PAPER_DPI))
    canvas = Canvas(print_.copy(), PAPER_DPI)
    for contest in form.contests:
        here = [option for option in contest.options if option.page == page.number]
        for number in votes.get(contest.id, ()):
            rng = chance(seed, "mark", contest.id, number)
            strength = float(np.clip(voter.untidiness + rng.normal(0, 0.12), 0, 1))
            draw_deed(
                canvas, place_of(contest, here[number]), voter.habit, strength, (voter.hand, rng)
            )
    return canvas


def scan_paper(
    page: Page, canvas: Canvas, scanner: Scanner, placing: Placing, seed: int
) -> tuple[bytes, str]:
    """The file that a scanner makes of a paper, and its suffix."""
    picture, px_per_mm = canvas.picture, canvas.px_per_mm
    if scanner.dpi < PAPER_DPI:
        zoom = scanner.dpi / PAPER_DPI
        picture = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA).astype(
            np.uint8, copy=False
        )
        px_per_mm *= zoom
    geometry = lay_sheet((page.width_mm, page.height_mm), scanner.dpi, placing, seed)
    if scanner.mode == "colour":
        scanner = replace(scanner, mode="grey")
    return encode(scan(picture, px_per_mm, geometry, scanner, seed), scanner)
