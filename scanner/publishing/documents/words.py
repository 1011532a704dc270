"""The fixed words of documents: Vietnamese ones as the law and the offices write them, and English.

They are no messages of the program: a document has its own language, whoever asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass

NATION = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"


@dataclass(frozen=True, slots=True)
class TableWords:
    """Heads of tables and names of rows."""

    number: str
    question: str
    answer: str
    votes: str
    percent: str
    remark: str
    blank: str
    overvote: str
    sums_to: str
    """Takes ``list``, of one or more ``sum_of``."""
    sum_of: str
    """Takes ``number`` and ``percent``."""
    sum_alone: str
    """Takes ``percent``; under a table of one question."""
    name: str
    provisional: str
    """Takes ``waiting``, the number of sheets."""
    open_count: str
    footer: str
    index: str
    """Takes ``satisfied``, ``answers`` and ``percent``."""
    questions_chart: str
    field_chart: str
    """Takes ``by``."""
    return_chart: str
    returned_bar: str
    missing_bar: str
    group_hidden: str
    """Takes ``smallest``."""
    no_group: str
    override: str
    """Takes ``who``, ``why`` and ``at``."""
    fingerprint: str
    tally_fingerprint: str
    """Takes ``whose``, which is empty or begins with a blank."""
    sealed_tallies: str
    unit: str
    period: str
    seal_number: str
    not_sealed: str
    weighted: str
    weighted_index: str
    """Takes ``percent``."""


VI = TableWords(
    number="TT",
    question="Tiêu chí đánh giá",
    answer="Mức độ",
    votes="Số lượng (phiếu)",
    percent="Tỷ lệ (%)",
    remark="Ghi chú",
    blank="Không trả lời",
    overvote="Đánh quá số ô",
    sums_to="(*) Do làm tròn số, cộng tỷ lệ của {list}.",
    sum_of="câu {number} là {percent}",
    sum_alone="Do làm tròn số, cộng tỷ lệ là {percent}.",
    name="Họ và tên",
    provisional="SỐ LIỆU TẠM THỜI: còn {waiting} phiếu chờ xem xét. Không dùng để công bố.",
    open_count="SỐ LIỆU TẠM THỜI: đợt kiểm phiếu chưa chốt. Không dùng để công bố.",
    footer="SỐ LIỆU TẠM THỜI",
    index="Tỷ lệ hài lòng chung (số trả lời hài lòng và rất hài lòng trên tổng số trả lời của các "
    "câu hỏi về mức độ hài lòng): {satisfied}/{answers}, đạt {percent}.",
    questions_chart="Biểu đồ kết quả theo từng câu hỏi",
    field_chart="Biểu đồ tỷ lệ hài lòng theo {by}",
    return_chart="Biểu đồ số phiếu thu vào",
    returned_bar="Thu vào",
    missing_bar="Không thu lại",
    group_hidden="Nhóm có ít hơn {smallest} phiếu không nêu riêng, để giữ bí mật ý kiến.",
    no_group="Không ghi",
    override="Chấp nhận số liệu không khớp: {who}, {at}; lý do: {why}",
    fingerprint="Dấu vân tay của đợt kiểm phiếu đã khóa, để kiểm tra lại:",
    tally_fingerprint="Dấu vân tay của bản kết quả kiểm phiếu đã khóa{whose}, để kiểm tra lại:",
    sealed_tallies="Các bản kết quả kiểm phiếu được tổng hợp",
    unit="Đơn vị",
    period="Kỳ",
    seal_number="Dấu vân tay của bản đã khóa",
    not_sealed="Chưa khóa",
    weighted="Tỷ lệ có trọng số (%)",
    weighted_index="Tỷ lệ hài lòng chung có trọng số: {percent}.",
)
EN = TableWords(
    number="No.",
    question="Question",
    answer="Answer",
    votes="Sheets",
    percent="Share (%)",
    remark="Note",
    blank="No answer",
    overvote="Too many answers",
    sums_to="(*) By rounding, the shares of {list}.",
    sum_of="question {number} add up to {percent}",
    sum_alone="By rounding, the shares add up to {percent}.",
    name="Name",
    provisional="PROVISIONAL FIGURES: {waiting} sheets wait for a decision. Not to be published.",
    open_count="PROVISIONAL FIGURES: the count is not final. Not to be published.",
    footer="PROVISIONAL FIGURES",
    index="Overall satisfaction (satisfied and very satisfied answers of all answers to the "
    "questions on satisfaction): {satisfied} of {answers}, {percent}.",
    questions_chart="Answers to each question",
    field_chart="Satisfaction by {by}",
    return_chart="Papers returned",
    returned_bar="Returned",
    missing_bar="Not returned",
    group_hidden="Groups of fewer than {smallest} sheets are not shown, to keep answers secret.",
    no_group="Not stated",
    override="Figures that do not agree were accepted by {who}, {at}; reason: {why}",
    fingerprint="Fingerprint of the sealed count, to be verified:",
    tally_fingerprint="Fingerprint of the sealed tally{whose}, to be verified:",
    sealed_tallies="Tallies that were added up",
    unit="Unit",
    period="Period",
    seal_number="Fingerprint of the sealed tally",
    not_sealed="Not sealed",
    weighted="Weighted share (%)",
    weighted_index="Overall satisfaction, weighted: {percent}.",
)
STOCK_STRENGTHS = (
    "Việc khảo sát được thực hiện theo kế hoạch; phiếu được bỏ vào thùng phiếu, kiểm đếm công khai,"
    " có biên bản kèm theo.",
    "Tổ chức, cá nhân đến giao dịch được hướng dẫn cách ghi phiếu và tự nguyện tham gia góp ý.",
)
STOCK_SHORTCOMINGS = (
    "Một số phiếu còn bỏ trống câu hỏi hoặc đánh dấu quá số ô quy định (số liệu cụ thể tại"
    " Phụ lục).",
)
STOCK_PROPOSALS = (
    "Tiếp tục tuyên truyền để tổ chức, cá nhân tham gia góp ý đầy đủ.",
    "Xem xét rút gọn phiếu khảo sát theo hướng đơn giản, ít nội dung.",
)
