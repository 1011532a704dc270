"""Dust on a blank goes; print, however small, stays."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from scanner.forms.damage import Damage, damage_page
from scanner.registering.specks import remove_specks

DPI = 200.0
PX_PER_MM = DPI / 25.4
TEMPLATES = Path(__file__).parents[1] / "form_templates"


def scanned(page: NDArray[np.uint8], specks: int = 0) -> NDArray[np.uint8]:
    damage = Damage(paper=242, black=30, blur_mm=0.09, noise=1.0, specks=specks, jpeg_quality=75)
    return damage_page(page, damage, np.random.default_rng(3), dpi=DPI)


def at(*mm: float) -> tuple[int, ...]:
    return tuple(round(value * PX_PER_MM) for value in mm)


def test_a_dot_that_stands_alone_becomes_paper() -> None:
    page = np.full(at(60, 60), 255, np.uint8)
    cv2.circle(page, at(30, 30), 2, 60, -1, cv2.LINE_AA)
    scan = scanned(page)
    assert scan.min() < 150
    clean = remove_specks(scan, DPI)
    assert clean.min() > 220
    changed = np.argwhere(clean != scan) / PX_PER_MM
    assert np.abs(changed - 30).max() < 1


@pytest.mark.parametrize("gap_mm", [0.8, 1.5])
def test_dots_in_a_row_are_a_line_to_write_on(gap_mm: float) -> None:
    page = np.full(at(60, 60), 255, np.uint8)
    for number in range(20):
        cv2.circle(page, at(10 + number * gap_mm, 30), 1, 0, -1, cv2.LINE_AA)
    scan = scanned(page)
    assert (remove_specks(scan, DPI) == scan).all()


def test_a_small_target_that_stands_alone_stays() -> None:
    page = np.full(at(60, 60), 255, np.uint8)
    cv2.rectangle(page, at(30, 30), at(32, 32), 0, 2)
    scan = scanned(page)
    assert (remove_specks(scan, DPI) == scan).all()


@pytest.mark.parametrize(
    "path", sorted(TEMPLATES.glob("*/page-*.png")), ids=lambda p: p.parent.name
)
def test_no_print_of_a_form_is_taken_for_dust(path: Path) -> None:
    data = np.frombuffer(path.read_bytes(), np.uint8)
    page = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    clean_scan = scanned(page)
    assert (remove_specks(page, DPI) == page).all()
    assert (remove_specks(clean_scan, DPI) == clean_scan).all()
    dusty = scanned(page, specks=12)
    gone = remove_specks(dusty, DPI) != dusty
    assert gone.any()
    print_there = cv2.dilate((page < 200).astype(np.uint8), np.ones((3, 3))) > 0
    assert not (gone & print_there).any()
