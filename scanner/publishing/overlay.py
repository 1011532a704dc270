"""A scanned page with what was read drawn on it, so that a person sees it at a glance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import fontpkg
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from scanner.ballot import (
    MarkState,
    PageReading,
    Reason,
    SheetStatus,
    TargetReading,
    UnreadablePage,
)
from scanner.counting.tally import CastVote
from scanner.forms.template import Contest, Form, Option
from scanner.geometry import Box, Homography, apply_homography
from scanner.messages import describe
from scanner.messages import gettext as _
from scanner.reading.pages import PageImage

Colour = tuple[int, int, int]
Gray = NDArray[np.uint8]
ColourImage = NDArray[np.uint8]

COLOURS: dict[MarkState, Colour] = {
    MarkState.MARKED: (0, 140, 0),
    MarkState.UNMARKED: (150, 120, 60),
    MarkState.DOUBTFUL: (0, 60, 230),
}
"""Blue, green, red."""
CODES = {MarkState.MARKED: "M", MarkState.UNMARKED: "·", MarkState.DOUBTFUL: "?"}
REFUSED_COLOUR: Colour = (0, 0, 200)
DECIDED_COLOUR: Colour = (200, 0, 160)
DECIDED_MARGIN_MM = 2.0
"""The frame of what a person decided lies around the frame of what was read."""
MARGIN_MM = 0.8
"""Between a target's printed outline and the frame drawn around it."""
FONT = cv2.FONT_HERSHEY_SIMPLEX
STRIP_LINES_SHARE = 1 / 45
"""Height of a line of the strip below, of the page's long side."""


def draw_sheet(
    image: PageImage,
    reading: PageReading,
    form: Form,
    title: str = "",
    votes: Iterable[CastVote] = (),
) -> ColourImage:
    """A page, turned upright, with a frame and a short code at each target.

    Args:
        image: The scanned page, full or reduced.
        reading: What was read on it.
        form: The form it was read as; gives the places of the targets.
        title: A line for the strip below the page, such as the number of the sheet.
        votes: What the sheet counts as; what a person decided is framed once more.

    Returns:
        Shape (height, width, 3), blue-green-red, with a strip below that says what the colours
        mean.
    """
    upright, to_upright = _turn(image.gray, reading.rotation)
    to_scan = np.linalg.inv(np.array(reading.homography).reshape(3, 3))
    to_page = to_upright @ np.diag([1 / image.reduction, 1 / image.reduction, 1.0]) @ to_scan
    canvas: ColourImage = np.dstack([upright] * 3)
    options = {(contest.id, option.id): option for contest, option in form.targets_on(reading.page)}
    # The ones that want attention last, so that nothing is drawn over them.
    for target in sorted(reading.targets, key=lambda read: read.state is not MarkState.UNMARKED):
        option = options.get((target.contest, target.option))
        if option is not None:
            _draw_target(canvas, target, option, to_page)
    here = {contest.id: contest for contest, _option in form.targets_on(reading.page)}
    decided = [vote for vote in votes if vote.is_decided and vote.contest in here]
    for vote in decided:
        for chosen in vote.options:
            if (vote.contest, chosen) in options:
                _draw_decision(canvas, options[vote.contest, chosen], to_page)
    words = [_decision_in_words(vote, here[vote.contest]) for vote in decided]
    lines = [line for line in (title, *words, *_reasons_in_words(reading)) if line]
    legend = [(f"{CODES[state]} {describe(state)}", colour) for state, colour in COLOURS.items()]
    if decided:
        legend.append((describe(SheetStatus.DECIDED), DECIDED_COLOUR))
    return _add_strip(canvas, lines, legend)


def draw_refused(image: PageImage, page: UnreadablePage, title: str = "") -> ColourImage:
    """A refused page with the reason below it.

    Args:
        image: The scanned page, full or reduced.
        page: Why it is refused.
        title: A line for the strip below the page.

    Returns:
        Shape (height, width, 3), blue-green-red.
    """
    canvas: ColourImage = np.dstack([image.gray] * 3)
    thick = max(2, max(canvas.shape) // 200)
    cv2.rectangle(canvas, (0, 0), (canvas.shape[1] - 1, canvas.shape[0] - 1), REFUSED_COLOUR, thick)
    return _add_strip(canvas, [title, describe(page.reason)])


def _turn(gray: Gray, degrees: int) -> tuple[Gray, Homography]:
    """An image turned clockwise by quarters, and the matrix that takes its points along."""
    height, width = gray.shape
    matrices = {
        0: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        90: [[0, -1, height - 1], [1, 0, 0], [0, 0, 1]],
        180: [[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1]],
        270: [[0, 1, 0], [-1, 0, width - 1], [0, 0, 1]],
    }
    turned = np.ascontiguousarray(np.rot90(gray, -(degrees // 90)))
    return turned, np.array(matrices[degrees % 360], dtype=np.float64)


def _draw_target(
    canvas: ColourImage, target: TargetReading, option: Option, to_page: Homography
) -> None:
    colour = COLOURS[target.state]
    line = max(1, max(canvas.shape) // (1400 if target.state is MarkState.UNMARKED else 600))
    corners = _frame(canvas, option.box.grown(MARGIN_MM), to_page, colour, line)
    # Left of the frame, since the label mostly stands on the right.
    left, middle = int(corners[:, 0].min()), int(corners[:, 1].mean())
    if target.state is MarkState.UNMARKED:
        cv2.circle(canvas, (left - 4 * line, middle), 2 * line, colour, -1)
        return
    size = float(np.ptp(corners[:, 1])) / 30
    letter = CODES[target.state]
    (width, height), _below = cv2.getTextSize(letter, FONT, size, line + 1)
    at = (left - width - 2 * line, middle + height // 2)
    cv2.putText(canvas, letter, at, FONT, size, colour, line + 1, cv2.LINE_AA)


def _draw_decision(canvas: ColourImage, option: Option, to_page: Homography) -> None:
    line = max(2, max(canvas.shape) // 400)
    _frame(canvas, option.box.grown(DECIDED_MARGIN_MM), to_page, DECIDED_COLOUR, line)


def _frame(
    canvas: ColourImage, box: Box, to_page: Homography, colour: Colour, line_px: int
) -> NDArray[np.float64]:
    """Frame a box of the form; its corners on the page, shape (4, 2)."""
    corners_mm = [
        (box.x, box.y), (box.right, box.y), (box.right, box.bottom), (box.x, box.bottom),
    ]  # fmt: skip
    corners = apply_homography(to_page, np.array(corners_mm, dtype=np.float64))
    outline = np.round(corners).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(canvas, [outline], isClosed=True, color=colour, thickness=line_px)
    return corners


def _decision_in_words(vote: CastVote, contest: Contest) -> str:
    labels = {option.id: option.label or option.id for option in contest.options}
    answer = ", ".join(labels[chosen] for chosen in vote.options) or describe(vote.state)
    return _("Decided: {contest}: {answer}").format(
        contest=contest.title or contest.id, answer=answer
    )


def _reasons_in_words(reading: PageReading) -> list[str]:
    found = [*reading.reasons, *(reason for t in reading.targets for reason in t.reasons)]
    return [describe(reason) for reason in Reason if reason in found]


def _add_strip(
    canvas: ColourImage, lines: Sequence[str], legend: Sequence[tuple[str, Colour]] = ()
) -> ColourImage:
    """The picture with lines of text below it; any language, so not by OpenCV's own letters."""
    line_px = max(14, round(max(canvas.shape) * STRIP_LINES_SHARE))
    rows = len(lines) + bool(legend)
    strip = Image.new("RGB", (canvas.shape[1], round(line_px * (rows + 0.5))), "white")
    pen = ImageDraw.Draw(strip)
    font = ImageFont.truetype(str(_font()), round(line_px * 0.62))
    x = line_px / 2
    for text, colour in legend:
        pen.rectangle((x, line_px * 0.3, x + line_px * 0.6, line_px * 0.9), fill=colour[::-1])
        pen.text((x + line_px * 0.8, line_px * 0.2), text, fill="black", font=font)
        x += line_px * 1.6 + pen.textlength(text, font=font)
    for row, text in enumerate(lines, start=int(bool(legend))):
        pen.text((line_px / 2, line_px * (row + 0.2)), text, fill="black", font=font)
    below = np.asarray(strip)[:, :, ::-1]
    return np.vstack([canvas, below])


def _font() -> str:
    return str(fontpkg.path("Noto Serif"))
