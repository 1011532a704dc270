"""What the documents of the tests are made of: a survey of a ward, with figures to find again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from scanner.counting.rules import ShareRule
from scanner.counting.tally_file import (
    TallyBreakdown,
    TallyContest,
    TallyDecider,
    TallyFile,
    TallyForm,
    TallyGroup,
    TallyOption,
    TallySheets,
    TallyUnit,
)
from scanner.publishing.documents.facts import Decided, Facts, Seal
from scanner.publishing.documents.unit import NEW_UNIT, Unit, read_unit

AT = datetime(2023, 9, 5, 15, 0, tzinfo=UTC)
SATISFIED = ("Rất hài lòng", "Hài lòng", "Không hài lòng")
QUESTIONS = (
    ("Câu 1. Nơi đón tiếp của Bộ phận Tiếp nhận và Trả kết quả:", SATISFIED, (64, 47, 3), 4, 0),
    ("Câu 2. Thái độ phục vụ, hướng dẫn:", SATISFIED, (61, 50, 2), 5, 0),
    ("Câu 3. Thái độ tiếp nhận, trả kết quả:", SATISFIED, (58, 52, 2), 5, 1),
    (
        "Câu 4. Thời gian xử lý, hoàn trả kết quả:",
        ("Đúng hẹn", "Chậm hẹn nhưng chấp nhận được", "Không đúng hẹn"),
        (88, 15, 4),
        10,
        1,
    ),
    (
        "Câu 5. Hồ sơ thủ tục hành chính cần giải quyết:",
        ("Đơn giản", "Cần giảm giấy tờ", "Phức tạp"),
        (40, 55, 9),
        13,
        1,
    ),
)
FIELDS = {"Hộ tịch": (60, 58), "Chứng thực": (40, 40), "Đất đai": (18, 12)}
"""Of each field of service its sheets, and how many of them are satisfied."""


def contest(
    number: int, title: str, labels: tuple[str, ...], votes: tuple[int, ...], blank: int, many: int
) -> TallyContest:
    """The sums of a question with one answer."""
    return TallyContest(
        id=f"q{number}",
        title=title,
        max=1,
        counted=sum(votes) + blank + many,
        options=tuple(
            TallyOption(f"o{place}", label, count)
            for place, (label, count) in enumerate(zip(labels, votes, strict=True), start=1)
        ),
        blank=blank,
        overvote=many,
        undervotes=blank,
        in_doubt=0,
    )


def ward_tally() -> TallyFile:
    """The tally of a ward: 150 papers handed out, 120 back, 118 valid."""
    contests = tuple(contest(n, *one) for n, one in enumerate(QUESTIONS, start=1))
    groups = tuple(
        TallyGroup(name, name, size, (contest(1, "", SATISFIED, (happy, 0, size - happy), 0, 0),))
        for name, (size, happy) in FIELDS.items()
    )
    says_who = replace(
        contest(9, "Lĩnh vực giải quyết:", tuple(FIELDS), (60, 40, 18), 0, 0), is_breakdown=True
    )
    return TallyFile(
        unit=TallyUnit("huong_long", "Phường Mẫu"),
        period="2023-Q3",
        program="1",
        generated_at=AT,
        count="huong-long",
        created_at=AT,
        created_with="1",
        rule=ShareRule(decimals=2),
        sheets=TallySheets(
            issued=150,
            collected=120,
            hand_count=120,
            clean=112,
            decided=7,
            in_doubt=0,
            refused=1,
            blank_pages=0,
            not_paper=0,
            valid=118,
            void=2,
            in_review=0,
            void_by_reason={"blank_sheet": 1, "unknown_form": 1},
        ),
        forms=(
            TallyForm(
                id="tth5_phuong",
                returned=120,
                title="Phiếu lấy ý kiến",
                version="1",
                hash="a" * 64,
                clean=112,
                decided=7,
                in_doubt=0,
                valid=118,
                void=1,
                contests=(*contests, says_who),
            ),
        ),
        breakdowns=(TallyBreakdown("tth5_phuong", "contest:q9", groups),),
        decisions=(TallyDecider("Lê Thị C", 7, 7),),
        is_final=True,
    )


def ward_unit() -> Unit:
    """The unit of the file that ``kiemphieu unit`` writes."""
    return read_unit(NEW_UNIT)


def ward_facts(*, language: str = "vi") -> Facts:
    """All of it, final and sealed."""
    return Facts(
        unit=ward_unit(),
        tally=ward_tally(),
        language=language,
        decided=(
            Decided("0007", "Nơi đón tiếp", "Hài lòng", "Lê Thị C"),
            Decided("0031", "Thời gian xử lý", "không trả lời", "Lê Thị C"),
        ),
        seal=Seal("3F2A-91BC-0D4E-77A1-5C02-E6B8", "kiemphieu:" + "3f" * 32),
    )


def provisional(facts: Facts, waiting: int = 3) -> Facts:
    """The same while sheets wait."""
    sheets = facts.tally.sheets
    open_sheets = replace(
        sheets,
        clean=sheets.clean - waiting,
        in_doubt=waiting,
        in_review=waiting,
        valid=sheets.valid - waiting,
    )
    return replace(facts, tally=replace(facts.tally, sheets=open_sheets, is_final=False))


def unit_file(folder: Path, *changes: tuple[str, str]) -> Path:
    """The example of a unit.yaml with some texts changed."""
    text = NEW_UNIT.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "unit.yaml"
    path.write_text(text, encoding="utf-8")
    return path
