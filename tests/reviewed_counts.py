"""Counts to be reviewed: really scanned sheets with doubts, refused pages, two forms, people."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from scanner.counting.intake import scan
from scanner.counting.people import Role
from scanner.counting.records import BatchRequest
from scanner.counting.store import Store
from scanner.forms.pen import MarkKind, MarkStyle, Pen, draw_handwriting
from scanner.forms.template import Comment, Form, Zone, read_form
from scanner.forms.testdeck import DeckRequest, make_deck
from scanner.geometry import Box, mm_to_px
from tests.synthetic import (
    CLEAR_CROSS,
    Gray,
    foreign_page,
    form_dpi,
    mark,
    photo_of_a_cat,
    write_scan_pdf,
)

SHIPPED = Path(__file__).parents[1] / "form_templates"
ONE_PAGE = "tth5_phuong"
TWO_PAGES = "sxd_5muc"
PIN = "246810"
NAMES = {Role.COMMITTEE: "Nguyễn Thị Lan", Role.READER: "Trần Văn Minh", Role.OBSERVER: "Lê Thu Hà"}
"""One person of each role, all with the same PIN."""
SECOND_READER = "Phạm Quốc Tú"
"""A further reader, with that PIN too."""
FAINT = MarkStyle(MarkKind.CROSS, Pen.PENCIL, pressure=0.3)
HAND = MarkStyle(MarkKind.CROSS, Pen.GEL)
DOT = MarkStyle(MarkKind.DOT, Pen.PENCIL, pressure=0.5)


def scan_for_review(folder: Path) -> Path:
    """A count of 10 + 8 sheets of two forms from decks, 6 doubtful ones, and two refused pages.

    Nobody is entered in it yet.

    Args:
        folder: Where scans and count go.

    Returns:
        The folder of the count.
    """
    files = []
    for form_id, sheets in ((ONE_PAGE, 10), (TWO_PAGES, 8)):
        pdf = folder / f"{form_id}.pdf"
        make_deck(read_form(SHIPPED / form_id), DeckRequest(sheets=sheets, seed=3), pdf)
        files.append(pdf)
    form = read_form(SHIPPED / ONE_PAGE)
    doubtful = [doubtful_sheet(form, seed) for seed in range(6)]
    refused = [photo_of_a_cat((2339, 1654)), foreign_page()]
    files.append(write_scan_pdf(folder / "doubtful.pdf", [*doubtful, *refused], dpi=200))
    request = BatchRequest(files=tuple(map(str, files)), forms=(ONE_PAGE, TWO_PAGES))
    scan(folder / "count", request, SHIPPED)
    return folder / "count"


def doubtful_sheet(form: Form, seed: int) -> Gray:
    """One page with clear answers, one that is hardly to be seen, one with two marks; signed."""
    page = form.pages[0]
    first, second, third, *others = form.contests
    clear = {contest.id: [contest.options[seed % len(contest.options)].id] for contest in others}
    twice = {second.id: [option.id for option in second.options[:2]]}
    image = mark(form, {**clear, **twice}, style=CLEAR_CROSS, seed=seed + 1)
    weak = mark(form, {first.id: [first.options[seed % 3].id]}, style=FAINT, seed=seed + 1)
    dots = mark(form, {third.id: [third.options[0].id]}, style=DOT, seed=seed + 1)
    image = np.minimum(np.minimum(image, weak), dots)
    dpi = form_dpi(form)
    scale = mm_to_px(1.0, dpi)
    zones: list[Zone | Comment] = [*form.private, *form.comments]
    for zone in zones:
        if zone.page == page.number:
            line = Box(zone.x + 4, zone.y, zone.w - 8, zone.h - 3).scaled(scale, scale)
            draw_handwriting(image, line, dpi, HAND, np.random.default_rng(seed))
    return image


def add_people(count: Path) -> None:
    """Enter a person of each role, and a second reader."""
    lan = NAMES[Role.COMMITTEE]
    with Store(count) as store:
        for role, name in NAMES.items():
            store.add_person(name, PIN, role, lan)
        store.add_person(SECOND_READER, PIN, Role.READER, lan)


def copy_count(count: Path, to: Path) -> Path:
    """A count of its own for one test."""
    return Path(shutil.copytree(count, to))
