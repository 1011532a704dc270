"""What the targets of a batch show together: how grey a target is that nobody marked.

Grain of recycled paper, the noise of an old scanner, a background that it makes grey: what raises a
doubt on one sheet is seen on every sheet of the batch. A target without a stroke, and no greyer
than such targets of its batch usually are, is unmarked. Only doubts are settled so; what is sure,
one way or the other, stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from scanner.ballot import MarkState, Reason, TargetMeasures, TargetReading
from scanner.settings import Settings

FEWEST = 100
"""Targets without a stroke from which it is known what is usual."""
CHANCE_OF_MARK = 0.01
"""How likely a target is marked all the same that is as grey as is usual; at the limit
``clearly_unmarked`` or below it, a person is asked."""
_NO_STROKE = 0.01
"""Share of the inside up to which there is no stroke in it."""
_SPECK_MM = 1.3
"""A piece of ink inside that is longer may be a mark's end."""
_LOW, _LOWER = 0.25, 0.05
"""Shares of the targets that are less grey than two weights from which all else follows: marks
that leave nothing but grey can be half of the targets, and are the greyer ones."""
_LOW_Z, _LOWER_Z = -0.674, -1.645
"""The same of the normal distribution, in deviations from its median."""
_WITHIN = 4.0
"""Deviations from the median that are still usual."""
_LEAST_SPREAD = 0.001
_GREYEST = 0.05
"""What is greyer is asked about in any batch: the palest clear marks of trials that leave nothing
but grey have 0.066."""


@dataclass(frozen=True, slots=True)
class BatchGrey:
    """How grey the targets of a batch are that hold no stroke and are not marked."""

    usual: float
    """Median weight, 0..1."""
    most: float
    """Weight up to which a target is as grey as such targets usually are."""
    targets: int

    @classmethod
    def of(cls, measures: Iterable[TargetMeasures]) -> Self | None:
        """The grey of a batch.

        Args:
            measures: Of all targets of one shape on pages of one form and one scan.

        Returns:
            None where too few of them hold no stroke.
        """
        return cls.of_weights([one.weight for one in measures if has_no_stroke(one)])

    @classmethod
    def of_weights(cls, weights: Iterable[float]) -> Self | None:
        """The grey of a batch from the weights of those of its targets that hold no stroke.

        No grey at all is what a scan in black and white gives, or a closer look that has explained
        the grey away; neither says what is usual.
        """
        found = np.array([weight for weight in weights if weight > 0.0])
        if len(found) < FEWEST:
            return None
        low, lower = (float(one) for one in np.quantile(found, (_LOW, _LOWER)))
        spread = max((low - lower) / (_LOW_Z - _LOWER_Z), _LEAST_SPREAD)
        usual = low - _LOW_Z * spread
        return cls(usual, min(usual + _WITHIN * spread, _GREYEST), len(found))

    def settle(self, reading: TargetReading, settings: Settings) -> TargetReading:
        """The reading of one of these targets, its doubt settled where the batch can do it.

        Args:
            reading: As the target's own measures are decided.
            settings: The thresholds.
        """
        is_usual = has_no_stroke(reading.measures) and reading.measures.weight <= self.most
        if is_unclear(reading) and is_usual and settings.clearly_unmarked >= CHANCE_OF_MARK:
            return replace(
                reading, state=MarkState.UNMARKED, probability=CHANCE_OF_MARK, reasons=()
            )
        return reading


def is_unclear(reading: TargetReading) -> bool:
    """Whether all that is wrong with a target is that its ink may be a mark or not."""
    return reading.reasons == (Reason.UNCLEAR_MARK,)


def has_no_stroke(measures: Any) -> Any:
    """Whether there is no stroke in a target, but grey at most.

    Args:
        measures: A :class:`TargetMeasures`, or columns of the same names; the answer is of their
            kind.
    """
    return (
        (measures.inside <= _NO_STROKE)
        & (measures.stroke_mm == 0.0)
        & (measures.through == 0.0)
        & (measures.extent_mm < _SPECK_MM)
    )
