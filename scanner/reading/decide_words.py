"""Printed words as targets: how likely a name is struck out, or a label circled or underlined.

Numbers only: no image is seen here. The fields of the measures mean what ``label_marks`` says.
"""

from __future__ import annotations

import math
from itertools import pairwise

from scanner.ballot import TargetMeasures

_LOG_ODDS = {
    "strike": ((0.0, -7.0), (0.08, -3.5), (0.42, 0.0), (0.84, 3.9), (1.0, 8.0)),
    "label": ((0.0, -7.0), (0.17, -3.5), (0.42, 0.0), (0.66, 3.9), (1.0, 8.0)),
}
"""The log-odds at some shares of the words that are struck out, or of the ring around them;
straight in between. Half a name struck out is a doubt, and so is half a ring."""
_MOST_FROM_FAINT = 0.9
"""Grey without a clear stroke can raise a doubt, but never makes a mark."""
_CLOSE_BY = 0.25
"""Share of a name along which a line runs close by, as one under it may."""
_ACROSS = 0.3
_TAKEN_BACK = 0.6
"""Share of a label's length through which a stroke runs: from the first an answer that is not
circled, from the second one that is, may have been struck out."""
_LONG_MM = 6.0
"""A piece of ink this long beside a name was made with a pen: a ring, a line under it, a tick."""

_STRAY_MM = 3.0
"""The same beside a label that is not circled: a ring of which the scan has lost the most."""


def probability_of_words(measures: TargetMeasures, shape: str) -> float:
    """How likely words are struck out (``strike``), or circled or underlined (``label``), 0..1."""
    return max(
        _logistic(measures.inside, shape), min(_logistic(measures.weight, shape), _MOST_FROM_FAINT)
    )


def has_other_ink(measures: TargetMeasures, shape: str, *, marked: bool) -> bool:
    """True where words bear ink that is no mark of their kind.

    A line under a name that should be struck out, a ring around it; a label struck out.
    """
    if shape == "label":
        is_long = not marked and measures.label_mm >= _STRAY_MM
        return is_long or measures.outline >= (_TAKEN_BACK if marked else _ACROSS)
    return not marked and (measures.outline >= _CLOSE_BY or measures.label_mm >= _LONG_MM)


def _logistic(share: float, shape: str) -> float:
    table = _LOG_ODDS[shape]
    share = min(max(share, 0.0), 1.0)
    (low, odds), (high, more) = next(
        (start, end) for start, end in pairwise(table) if share <= end[0]
    )
    return 1.0 / (1.0 + math.exp(-odds - (more - odds) * (share - low) / (high - low)))
