"""What a batch shows together settles doubts about its targets: see ``scanner.reading.batch``.

Worked out from the stored measures alone, so that it comes out the same whenever it is asked:
at the end of a scan, when pages are put together anew, under other limits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial

from scanner.ballot import TargetReading
from scanner.counting.store import Store
from scanner.forms.template import TEXT_SHAPES, Form
from scanner.reading.batch import BatchGrey, is_unclear
from scanner.settings import Settings

Weights = Mapping[tuple[str, str, str], Sequence[float]]
"""Of targets without a stroke, by the ids of form, contest and option."""


class Greys:
    """How grey the unmarked targets of one batch are, by form and shape; found out once asked.

    Args:
        weights: Gives the weights of all targets of the batch that hold no stroke.
        forms: The forms of its pages.
    """

    def __init__(self, weights: Callable[[], Weights], forms: Iterable[Form]) -> None:
        self._weights = weights
        self._shapes = {form.id: form.shapes for form in forms}

    def settle(
        self, reading: TargetReading, form: Form | None, settings: Settings
    ) -> TargetReading:
        """The reading of a target of the batch, its doubt settled where the batch can do it.

        Args:
            reading: As its own measures are decided.
            form: The form of its sheet; None for one that is refused.
            settings: The thresholds.
        """
        if form is None or not is_unclear(reading):
            return reading
        shape = form.shapes.get((reading.contest, reading.option))
        grey = self._found.get((form.id, shape or ""))
        return reading if grey is None else grey.settle(reading, settings)

    @cached_property
    def _found(self) -> dict[tuple[str, str], BatchGrey]:
        groups: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for (form, contest, option), weights in self._weights().items():
            shape = self._shapes.get(form, {}).get((contest, option))
            # What is measured at printed words is no grey.
            if shape is not None and shape not in TEXT_SHAPES:
                groups[form, shape] += weights
        found = {key: BatchGrey.of_weights(weights) for key, weights in groups.items()}
        return {key: grey for key, grey in found.items() if grey is not None}


def greys_of(store: Store, batch: int, forms: Iterable[Form]) -> Greys:
    """The greys of a stored batch, every page of which has been read."""
    return Greys(partial(store.weights_without_stroke, batch), forms)
