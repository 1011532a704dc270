"""The paper of a form: its size, margins and type, and the words the program itself prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.forms.codes import code_side_mm
from scanner.forms.questions import Matrix, Question, Questions
from scanner.forms.template import Rule

BOX_MM = 4.5
OUTLINE_MM = 0.35
RULE_MM = 0.25
USUAL_PT = 11.0

_CODE_EDGE_MM = 6.0
_CODE_GAP_MM = 3.0
_CODE_CORNER_GAP_MM = 4.0


@dataclass(frozen=True, slots=True)
class Words:
    """What is printed though no description says it."""

    country: str
    motto: str
    page: str
    serial: str
    count_head: str
    row_head: str
    mark: str
    mark_rows: str
    circle: str
    strike: str
    mark_unless: str
    one_each: str
    no_correction: str
    fill_cancels: str
    choose: str
    choose_any: str
    choose_words: str
    elect: str

    def texts(self) -> Iterator[str]:
        """Every one of them."""
        for name in self.__slots__:
            yield getattr(self, name)


WORDS = {
    "vi": Words(
        country="CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        motto="Độc lập - Tự do - Hạnh phúc",
        page="Trang {page}/{last}",
        serial="Số phiếu: {serial}",
        count_head="TT",
        row_head="Nội dung",
        mark="Xin đánh dấu X vào ô được chọn, mỗi câu hỏi một ô",
        mark_rows="Xin đánh dấu X vào ô được chọn, mỗi câu hỏi hoặc mỗi dòng một ô",
        circle="Xin khoanh tròn câu trả lời được chọn.",
        strike="Không bầu người nào thì gạch ngang giữa cả họ và tên của người đó.",
        mark_unless=", trừ câu có ghi khác.",
        one_each=".",
        no_correction="Nếu đánh nhầm, xin đổi phiếu khác.",
        fill_cancels="Nếu đánh nhầm, xin tô kín ô đã đánh rồi đánh dấu X vào ô khác.",
        choose="(chọn tối đa {most} ô)",
        choose_any="(có thể chọn nhiều ô)",
        choose_words="(chọn tối đa {most} câu trả lời)",
        elect="(bầu không quá {most} người)",
    ),
    "en": Words(
        country="SOCIALIST REPUBLIC OF VIET NAM",
        motto="Independence - Freedom - Happiness",
        page="Page {page}/{last}",
        serial="No. {serial}",
        count_head="No.",
        row_head="Statement",
        mark="Please put an X in the box of your choice, one in each question",
        mark_rows="Please put an X in the box of your choice, one in each question or row",
        circle="Please circle the answer of your choice.",
        strike="Please strike out the whole name of each person whom you do not elect.",
        mark_unless=", unless more are allowed there.",
        one_each=".",
        no_correction="If you make a mistake, please ask for a new paper.",
        fill_cancels="If you make a mistake, please black out that box and put an X in another.",
        choose="(choose up to {most})",
        choose_any="(choose all that apply)",
        choose_words="(choose up to {most} answers)",
        elect="(elect {most} at most)",
    ),
}


@dataclass(frozen=True, slots=True)
class Design:
    """A page before anything stands on it; lengths in millimetres."""

    width_mm: float
    height_mm: float
    left_mm: float
    right_mm: float
    top_mm: float
    bottom_mm: float
    text_pt: float
    words: Words
    code_mm: float | None = None
    """Side of the QR code; None without one."""
    corner_marks: bool = False

    @property
    def column_mm(self) -> float:
        """Width of the text."""
        return self.width_mm - self.left_mm - self.right_mm

    @property
    def room_mm(self) -> float:
        """Height of the text."""
        return self.height_mm - self.top_mm - self.bottom_mm

    @property
    def scale(self) -> float:
        """Size of the text against the usual one."""
        return self.text_pt / USUAL_PT

    @property
    def line_mm(self) -> float:
        """From one base line to the next."""
        return 5.4 * self.scale

    @property
    def code_place_mm(self) -> tuple[float, float]:
        """Top left corner of the QR code: below the text, on the right."""
        side = self.code_mm or 0.0
        clear = _CODE_CORNER_GAP_MM if self.corner_marks else 0.0
        return (
            self.width_mm - self.right_mm - side - clear,
            self.height_mm - _CODE_EDGE_MM - side,
        )


_PAPERS = {
    "A4": Design(210.0, 297.0, 22.0, 16.0, 14.0, 16.0, USUAL_PT, WORDS["vi"]),
    "A5": Design(148.0, 210.0, 15.0, 12.0, 12.0, 14.0, 10.0, WORDS["vi"]),
}


def design_form(questions: Questions) -> Design:
    """The page that a description asks for."""
    paper = _PAPERS[questions.paper]
    code_mm = code_side_mm(questions.id) if questions.code else None
    below = _CODE_EDGE_MM + code_mm + _CODE_GAP_MM if code_mm else 0.0
    return Design(
        paper.width_mm,
        paper.height_mm,
        paper.left_mm,
        paper.right_mm,
        paper.top_mm,
        max(paper.bottom_mm, below),
        questions.text_pt or paper.text_pt,
        WORDS[questions.language],
        code_mm,
        questions.corner_marks,
    )


def instruct(questions: Questions, *, marking: bool) -> str:
    """How to mark and to correct, from the rule by which the form will be read."""
    words = WORDS[questions.language]
    correction = _correction(words, questions.rule)
    if not marking:
        return correction
    asked = [block for block in questions.blocks if isinstance(block, Question | Matrix)]
    by_name = {block.marks for block in asked if isinstance(block, Question)}
    own_words = {"label": words.circle, "strike": words.strike}
    sentences = [sentence for marks, sentence in own_words.items() if marks in by_name]
    asked = [block for block in asked if block.marks not in own_words]
    if asked:
        sentences.insert(0, _mark_in_words(asked, words))
    return " ".join([*sentences, correction])


def _mark_in_words(asked: Sequence[Question | Matrix], words: Words) -> str:
    """Where the X goes, and in how many boxes of a question."""
    start = words.mark_rows if any(isinstance(block, Matrix) for block in asked) else words.mark
    several = any(tell_most(block, words) for block in asked)
    end = words.mark_unless if several else words.one_each
    return f"{start}{end}"


def _correction(words: Words, rule: Rule) -> str:
    return words.fill_cancels if rule.fill_cancels else words.no_correction


def tell_most(asked: Question | Matrix, words: Words) -> str:
    """How many answers may be chosen; empty where the form does not tell.

    Nor is it told that one may be, but on a ballot on which names are struck out.
    """
    if asked.marks == "strike" and asked.tell_max:
        return words.elect.format(most=asked.max)
    if asked.marks == "label" and asked.tell_max and 1 < asked.max < len(asked.options):
        return words.choose_words.format(most=asked.max)
    if asked.max == 1 or not asked.tell_max:
        return ""
    answers = asked.options if isinstance(asked, Question) else asked.scale
    return words.choose_any if asked.max == len(answers) else words.choose.format(most=asked.max)
