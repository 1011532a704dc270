"""Thresholds and limits of the reading, each with its unit, its default and what it means.

A count stores the settings it was read with. Thresholds of the decision can be changed on
stored measures, without scanning again; those of the alignment cannot.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Everything a reading can be tuned by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Which form, and where it lies.
    working_dpi: float = Field(default=150.0, ge=75, le=400)
    """Resolution at which a page is compared with its blank."""
    min_matches: int = Field(default=14, ge=8)
    """Fewer features, or pieces of print, in agreement than this, and a page is not that form."""
    min_page_print_match: float = Field(default=0.60, ge=0, le=1)
    """Smaller share of the blank's print found on the page, and it is not that form."""

    # Is the print at a target the blank's?
    min_print_match: float = Field(default=0.72, ge=0, le=1)
    """Print at a target less like the blank's than this, and nothing is read there."""
    max_residual_mm: float = Field(default=1.5, gt=0)
    """A target that may lie further than this from where it was measured: a person is asked."""

    # Marks.
    clearly_marked: float = Field(default=0.98, ge=0.5, le=1)
    """A target this probable is marked."""
    clearly_unmarked: float = Field(default=0.03, ge=0, le=0.5)
    """A target less probable than this is unmarked."""
