"""The names under which a reading keeps what it rests on, and what each of them means.

A refused page has others, among them ``error`` in words.
"""

from __future__ import annotations

from enum import StrEnum


class Evidence(StrEnum):
    """What is kept with the reading of a page beside its targets: numbers, or texts where said."""

    FEATURES = "features_in_agreement"
    """Features of the blank found again on the scan."""
    PATCHES_FOUND = "patches_found"
    PATCHES_TRIED = "patches_tried"
    """Pieces of the blank's print found where the scan was laid on the form, and looked for."""
    SPREAD_MM = "alignment_spread_mm"
    """Median distance of those found from the field that bends the page into place."""
    IMAGE_WIDTH_MM = "image_width_mm"
    IMAGE_HEIGHT_MM = "image_height_mm"
    """The size of the scan, as the form lies in it, in millimetres of the form."""
    BEYOND_LEFT_MM = "beyond_left_mm"
    BEYOND_TOP_MM = "beyond_top_mm"
    BEYOND_RIGHT_MM = "beyond_right_mm"
    BEYOND_BOTTOM_MM = "beyond_bottom_mm"
    """How much of the form's page lies beyond the scan at each edge of the form; 0 for none."""
    PRINT_OUTSIDE = "print_outside"
    """Share of the form's solid print that lies beyond the scan, 0..1."""
    PRINT_FOUND = "print_found"
    """Share of the print within the scan that is darker than halfway between paper and black."""
    PAPER_LEVEL = "paper_level"
    """Brightness of the bare paper, median over the page, 0..255."""
    PAPER_DARKEST = "paper_darkest"
    """The same at the darkest place, of a grid of 8 × 16."""
    PRINT_LEVEL = "print_level"
    """Brightness of solid print, 0..255."""
    DRIFT_ACROSS = "light_drift_across"
    DRIFT_DOWN = "light_drift_down"
    """By how many grey levels the paper's brightness changes across the form, and down it."""
    STREAKS_DOWN_MM = "streaks_down_mm"
    STREAKS_ACROSS_MM = "streaks_across_mm"
    """Text: how far from the left edge of the scan lines of dust run down it, and how far from its
    top edge across it, separated by spaces; empty for none."""
    ADDED_INK = "added_ink"
    """Text: the marks as small pictures, from :mod:`scanner.reading.added_ink`."""


class RefusedEvidence(StrEnum):
    """What is kept with a page that was refused as blank or unknown, beside its features."""

    FEATURES_SEEN = "features"
    """Features of the scan."""
    MOST_ALIKE = "most_alike"
    """Text: the form's id and the number of the page that it is most like."""
    PRINT_FOUND = "print_found"
    """Share of the pieces of that page's print that were found on it."""
