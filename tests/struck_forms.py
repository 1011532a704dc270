"""A ballot with names to strike out and labels to circle, drawn by the program itself."""

from __future__ import annotations

from pathlib import Path

from scanner.forms.layout import lay_out_form
from scanner.forms.questions import Questions
from scanner.forms.template import Form

NAMES = ("NGUYỄN VĂN AN", "TRẦN THỊ THANH BÌNH", "LÊ QUỐC CƯỜNG", "HỒ TUẤN KIỆT")
WARD = ("Phạm Nguyễn Diệu Hiền", "Võ Đình Ý", "Hoàng Thị Mỹ Lệ")


def describe_ballot(names: tuple[str, ...] = NAMES) -> Questions:
    """Two lists of names to strike out and two questions to be answered by circling."""
    blocks = [
        {"kind": "instruction"},
        _asked("ban", "Danh sách những người ứng cử:", "strike", names, max=2),
        _asked("truong", "Trưởng ban:", "strike", WARD),
        _asked("hop", "Ông (Bà) có hài lòng với buổi họp không?", "label",
               ("Rất hài lòng", "Hài lòng", "Không hài lòng"), columns=3),
        _asked("lan_sau", "Lần sau nên họp vào lúc nào?", "label",
               ("Buổi sáng", "Buổi tối các ngày trong tuần"), max=2),
        {"kind": "note", "text": "Xin trân trọng cảm ơn!"},
    ]  # fmt: skip
    return Questions.model_validate(
        {
            "id": "phieu-bau",
            "title": "Phiếu bầu",
            "organisation": ["ỦY BAN NHÂN DÂN", "PHƯỜNG HƯƠNG LONG"],
            "heading": "PHIẾU BẦU",
            "subheading": ["Ban Thanh tra nhân dân nhiệm kỳ 2025 - 2027"],
            "introduction": ["Danh sách được xếp theo thứ tự chữ cái của tên."],
            "blocks": blocks,
        }
    )


def _asked(
    name: str, text: str, marks: str, labels: tuple[str, ...], **others: int
) -> dict[str, object]:
    options = [{"id": f"o{n}", "label": label} for n, label in enumerate(labels, start=1)]
    question = {"kind": "question", "id": name, "text": text, "marks": marks}
    return {**question, "options": options, **others}


def draw_ballot(folder: Path, names: tuple[str, ...] = NAMES) -> Form:
    """Draw and register it."""
    return lay_out_form(describe_ballot(names), folder)
