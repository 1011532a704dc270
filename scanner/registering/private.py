"""Where voters write about themselves, and what the form is called: from the words of a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from scanner.geometry import Box
from scanner.registering.level_page import LevelPage, Piece, around, shared_height

_PERSONAL = re.compile(
    r"^(?:\d+[.)]?\s*)?(?:thông tin[^:]{0,40}:\s*)?"
    r"(?:họ\s*(?:và|,)?\s*(?:chữ đệm\s*)?tên|tên\s+(?:tổ chức|cá nhân|người|ông|doanh nghiệp)|"
    r"(?:số\s*)?(?:điện thoại|đt\b|di động)|địa chỉ|nơi ở|email|e-mail|số (?:cccd|cmnd|căn cước)|"
    r"ngày sinh|năm sinh|(?:full |your |first |last )?name\b|surname|(?:tele)?phone|address|"
    r"date of birth|nom\b|prénom)",
    re.IGNORECASE,
)
_DOTS = re.compile(r"[.…_]{4,}|…")
_ROOM_TO_WRITE_MM = 20.0
_MARGIN_MM = 2.0
_LINE_ABOVE_MM = 2.5
"""People write above the dots."""
_NEAR_LINES_MM = 6.0
_TITLE = re.compile(r"^(?:PHIẾU|PHIÉU|BẢNG HỎI|MẪU PHIẾU|BALLOT|QUESTIONNAIRE|SURVEY)\b")
_TITLE_LINES = 4
_SURE = 0.8


def find_private(page: LevelPage) -> list[Box]:
    """Lines of a level page that ask for a name, an address or a telephone number.

    Returns:
        Boxes in millimetres over whole lines, near ones put together; none holds a target.
    """
    zones = []
    for piece in page.pieces:
        if _PERSONAL.match(piece.text) and _has_room(page, piece):
            zones.append(_zone(page, piece))
    merged: list[Box] = []
    for zone in sorted(zones, key=lambda zone: zone.y):
        if merged and zone.y - merged[-1].bottom < _NEAR_LINES_MM:
            whole = around([merged[-1], zone])
            if not _holds_target(page, whole):
                merged[-1] = whole
                continue
        merged.append(zone)
    return [zone for zone in merged if not _holds_target(page, zone)]


def find_title(page: LevelPage) -> str:
    """What the form is called: the heading above its first target; may be empty."""
    first = min((target.box.y for target in page.targets), default=page.height_mm / 2)
    above = [p for p in page.pieces if p.box.bottom < first and len(_letters(p.text)) > 4]
    heading = next((piece for piece in above if _TITLE.match(piece.text)), None)
    if heading is None:
        return _largest(above)
    lines = [heading]
    pitch = 2.4 * max(page.line_mm, heading.box.h)
    for piece in above:
        step = piece.box.center[1] - lines[-1].box.center[1]
        is_centred = abs(piece.box.center[0] - heading.box.center[0]) < 8.0
        if step <= 0 or not is_centred:
            continue
        if step > pitch or len(lines) == _TITLE_LINES or _PERSONAL.match(piece.text):
            break
        lines.append(piece)
        pitch = 1.25 * step
    return " ".join(piece.text for piece in lines)


def _largest(pieces: Sequence[Piece]) -> str:
    """The uppermost of the pieces that are set in the largest type."""
    read = [piece for piece in pieces if piece.sure >= _SURE]
    most = max((piece.box.h for piece in read), default=0.0)
    # Letters with and without tails make words of the same type differ by a quarter.
    return next((piece.text for piece in read if piece.box.h >= 0.7 * most), "")


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalpha())


def _has_room(page: LevelPage, piece: Piece) -> bool:
    """Whether dots follow a label, or nothing at all, as where dots are too faint to be read."""
    if _DOTS.search(piece.raw):
        return True
    after = [other for other in _on_line(page, piece) if other.box.x > piece.box.x]
    if any(_DOTS.search(other.raw) and not other.text for other in after[:1]):
        return True
    end = after[0].box.x if after else page.width_mm - 15.0
    return piece.text.endswith(":") and end - piece.box.right >= _ROOM_TO_WRITE_MM


def _on_line(page: LevelPage, piece: Piece) -> list[Piece]:
    level = [
        other
        for other in page.pieces
        if other is not piece
        and shared_height(other.box, piece.box) >= 0.4 * min(other.box.h, piece.box.h)
    ]
    return sorted(level, key=lambda other: other.box.x)


def _zone(page: LevelPage, piece: Piece) -> Box:
    """From the label to the right end of the page's print."""
    right = max(other.box.right for other in page.pieces)
    box = piece.box
    left = max(box.x - _MARGIN_MM, 0.0)
    top = box.y - _LINE_ABOVE_MM
    height = box.h + _LINE_ABOVE_MM + _MARGIN_MM
    zone = Box(left, top, min(right + _MARGIN_MM, page.width_mm) - left, height)
    beside = [t.box.x for t in page.targets if shared_height(t.box, zone) > 0 and t.box.x > left]
    end = min(beside, default=zone.right)
    return replace(zone, w=max(end - _MARGIN_MM - left, 1.0)) if beside else zone


def _holds_target(page: LevelPage, zone: Box) -> bool:
    return any(target.box.overlaps(zone) for target in page.targets)
