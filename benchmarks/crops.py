"""Pictures of single targets as they were scanned, for a person to judge."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.judge import Finding
from scanner.ballot import PageReading
from scanner.geometry import apply_homography
from scanner.reading.pages import load_page

_AROUND_MM = 14.0
_BESIDE_MM = 45.0
"""Labels stand beside their targets."""
_ZOOM_DPI = 300.0
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def save_crop(finding: Finding, path: Path) -> None:
    """Write the page around a target, turned upright, with its box, the truth and the reading."""
    picture = _around(finding) if finding.option is not None else None
    if picture is None:
        picture = np.full((60, 800, 3), 255, np.uint8)
    lines = (
        f"{finding.ballot}  {finding.target}",
        f"truth {'MARKED' if finding.is_marked else 'unmarked'}, read {finding.box.state}"
        f" p={finding.box.probability:.4f} {finding.box.reasons} {finding.why}",
    )
    strip = np.full((28 * len(lines) + 10, max(picture.shape[1], 800), 3), 255, np.uint8)
    for place, line in enumerate(lines, start=1):
        cv2.putText(strip, line, (8, 28 * place - 4), _FONT, 0.55, (0, 0, 160), 1, cv2.LINE_AA)
    wide = cv2.copyMakeBorder(
        picture, 0, 0, 0, strip.shape[1] - picture.shape[1], cv2.BORDER_CONSTANT, value=(255,) * 3
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    _done, encoded = cv2.imencode(".png", np.vstack([wide, strip]))
    path.write_bytes(encoded.tobytes())


def _around(finding: Finding) -> NDArray[np.uint8] | None:
    reading, option = finding.page.result, finding.option
    if not isinstance(reading, PageReading) or option is None:
        return None
    gray = load_page(finding.page.stored, 1).gray
    per_mm = _ZOOM_DPI / 25.4
    left, top = option.x - _BESIDE_MM, option.y - _AROUND_MM
    size = (
        round((option.w + 2 * _BESIDE_MM) * per_mm),
        round((option.h + 2 * _AROUND_MM) * per_mm),
    )
    to_crop = np.array([[per_mm, 0, -left * per_mm], [0, per_mm, -top * per_mm], [0, 0, 1.0]])
    page_to_crop = to_crop @ np.array(reading.homography).reshape(3, 3)
    upright = cv2.warpPerspective(gray, page_to_crop, size, borderValue=200)
    picture = np.dstack([upright] * 3).astype(np.uint8)
    box = option.box.grown(0.6)
    corners = apply_homography(to_crop, np.array([[box.x, box.y], [box.right, box.bottom]]))
    (x0, y0), (x1, y1) = corners.round().astype(int)
    cv2.rectangle(picture, (int(x0), int(y0)), (int(x1), int(y1)), (0, 0, 220), 1)
    return picture
