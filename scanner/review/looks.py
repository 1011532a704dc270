"""Pages that were read again and that nobody has kept yet: what was read, laid on the form."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scanner.ballot import MarkState, PageReading
from scanner.counting.second_look import SecondLook
from scanner.errors import BadArgumentsError
from scanner.forms.template import Comment, Form, Zone
from scanner.geometry import Box
from scanner.messages import gettext as _
from scanner.publishing.cutting import Mask, Picture, cover, encode, lay, scale_of
from scanner.reading.pages import PageImage

MOST_KEPT = 40
LOOK_WIDTH_PX = 1400
OUTLINE_MM = 0.8
"""Between a printed outline and the line drawn around it."""
MASK_MARGIN_MM = 1.0
PAGE_MARGIN_MM = 4.0
"""Shown around the form's page."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A target as it was read, in millimetres from the upper left of the picture."""

    state: MarkState
    box: Box


@dataclass(frozen=True, slots=True)
class Look:
    """A second look as it is shown."""

    look: SecondLook
    person: int
    """Id of the person who asked for it; nobody else keeps it."""
    picture: Picture | None = None
    """The page laid on the form that it was read as; None where it could not be read."""
    outlines: tuple[Outline, ...] = ()


class Looks:
    """The last looks of all people; safe to be used by several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Look] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, look: Look) -> str:
        """Remember a look; the key that finds it."""
        key = secrets.token_urlsafe(16)
        with self._lock:
            self._kept[key] = look
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return key

    def find(self, key: str, person: int) -> Look:
        """A look of a person.

        Raises:
            BadArgumentsError: It is forgotten, or somebody else's.
        """
        with self._lock:
            look = self._kept.get(key)
        if look is None or look.person != person:
            raise BadArgumentsError(
                _("What was read is not there any more."), remedy=_("Read the page again.")
            )
        return look


def show_look(
    look: SecondLook, image: PageImage, forms: Sequence[Form], person: int, mask: Mask
) -> Look:
    """What was read, laid on the form, with each target as it was read.

    Args:
        look: What came of the second look.
        image: The image that was read.
        forms: The count's forms.
        person: Id of the person who asked for it.
        mask: What is covered.
    """
    reading = look.result
    if not isinstance(reading, PageReading):
        return Look(look, person)
    form = next(form for form in forms if form.id == reading.form)
    page = form.page(reading.page)
    assert page is not None
    box = Box(0, 0, page.width_mm, page.height_mm).grown(PAGE_MARGIN_MM)
    reduced = np.diag([image.reduction, image.reduction, 1.0])
    to_form = np.array(reading.homography).reshape(3, 3) @ reduced
    scale = scale_of(box, LOOK_WIDTH_PX)
    gray = lay(image.gray, to_form, box, scale)
    cover(gray, _covered(form, reading.page, mask), box, scale)
    options = {(contest.id, option.id): option for contest, option in form.targets_on(page.number)}
    outlines = []
    for target in reading.targets:
        there = options[target.contest, target.option].box.grown(OUTLINE_MM)
        outlines.append(
            Outline(target.state, Box(there.x - box.x, there.y - box.y, there.w, there.h))
        )
    return Look(look, person, encode(gray, box), tuple(outlines))


def _covered(form: Form, page: int, mask: Mask) -> list[Box]:
    zones: list[Zone | Comment] = [*form.private] if mask else []
    if mask is Mask.WORDS_TOO:
        zones += [zone for zone in form.comments if zone.private]
    return [
        Box(zone.x, zone.y, zone.w, zone.h).grown(MASK_MARGIN_MM)
        for zone in zones
        if zone.page == page
    ]
