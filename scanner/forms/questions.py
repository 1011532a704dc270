"""A form described in words: ``questions.yaml`` read and checked.

The description says what is printed and in which order; ``layout`` decides where. Every field
is described in ``docs/questions.md``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from scanner.errors import FormError, StorageError
from scanner.forms.faults import MisplacedError, explain_faults
from scanner.forms.template import ID_PATTERN, FormSecrecy, Rule
from scanner.messages import gettext as _

QUESTIONS_FILE = "questions.yaml"
DRAFTS = Path(__file__).with_name("drafts")


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_blank(value: Any) -> Any:
    return {"label": value} if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_nfc), Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_list)]
PartId = Annotated[str, Field(min_length=1, max_length=200)]
Columns = Literal[1, 2, 3, 4, 5]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Choice(_Part):
    """One answer; with ``write_in`` dots follow its label."""

    id: PartId
    label: Text
    write_in: bool = False


class Question(_Part):
    """A question with its answers. Without a text it belongs to the section above it."""

    kind: Literal["question"]
    id: PartId
    number: Text | None = None
    """Printed in bold before the text, such as "Câu 1."."""
    text: Text | None = None
    inline: bool = False
    """The text stands to the left of the answers, not above them."""
    title: Text | None = None
    """What the question is called in a tally; number and text if nothing is given."""
    max: int = Field(default=1, ge=1)
    tell_max: bool = True
    """After the text of a question with several answers stands how many may be chosen."""
    columns: Columns | None = None
    """Answers beside each other; the most that fit, up to three, if nothing is given."""
    breakdown: bool = False
    marks: Literal["box", "label", "strike"] = "box"
    """A box before each answer; or the answer's own words are circled; or struck out, and those
    that are left are chosen."""
    options: tuple[Choice, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.text is None and (self.title is None or self.inline):
            raise ValueError(_("a question without a text needs a title, and is not inline"))
        if self.marks != "box" and (self.inline or any(one.write_in for one in self.options)):
            raise ValueError(_("words that are marked themselves stand alone on their lines"))
        _check_choices(self.options, "options", self.max)
        return self

    @property
    def name(self) -> str:
        """What the question is called."""
        return self.title or " ".join(filter(None, (self.number, self.text)))


class Step(_Part):
    """One column of a matrix."""

    id: PartId
    label: Text


class Row(_Part):
    """One question of a matrix."""

    id: PartId
    text: Text


class Matrix(_Part):
    """Questions with the same answers, as a ruled table: a row each, a column for each answer."""

    kind: Literal["matrix"]
    number: Text | None = None
    text: Text | None = None
    """Printed above the table."""
    row_head: Text | None = None
    """Printed above the questions."""
    numbered: bool = True
    """A first column counts the rows."""
    marks: Literal["cell", "box"] = "cell"
    """The mark goes into the cell itself, or into a box within it."""
    max: int = Field(default=1, ge=1)
    """In each row."""
    tell_max: bool = True
    scale: tuple[Step, ...] = Field(min_length=2, max_length=10)
    rows: tuple[Row, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _check_choices(self.scale, "scale", self.max)
        return self

    @property
    def name(self) -> str:
        """What the table is called."""
        return " ".join(filter(None, (self.number, self.text or self.rows[0].text)))


class Section(_Part):
    """A heading; it stays on the page of what follows."""

    kind: Literal["section"]
    text: Text


class Note(_Part):
    """A sentence to the reader."""

    kind: Literal["note"]
    text: Text
    style: Literal["plain", "bold", "italic"] = "italic"
    align: Literal["left", "center", "right"] = "left"


class Instruction(_Part):
    """How to mark and to correct, in words that follow from the form's own rule."""

    kind: Literal["instruction"]
    marking: bool = True
    """False where the introduction says already how to mark: only the correction is told."""


class Blank(_Part):
    """A label with dots to write on."""

    label: Text
    share: float = Field(default=1.0, gt=0)
    """Its share of the row's width, against the others of the row."""


BlankRow = Annotated[
    tuple[Annotated[Blank, BeforeValidator(_as_blank)], ...],
    BeforeValidator(_as_list),
    Field(min_length=1, max_length=6),
]


class Fields(_Part):
    """Rows of labels with dots, such as the unit and the quarter."""

    kind: Literal["fields"]
    rows: tuple[BlankRow, ...] = Field(min_length=1)


class Personal(_Part):
    """Rows of labels with dots for the voter's name, address and so on: a private zone."""

    kind: Literal["personal"]
    text: Text | None = None
    """Printed above the rows, in bold."""
    rows: tuple[BlankRow, ...] = Field(min_length=1)


class Lines(_Part):
    """Room to write on dotted lines."""

    kind: Literal["lines"]
    text: Text
    count: int = Field(default=2, ge=1, le=30)


class PageBreak(_Part):
    """What follows starts on a new page."""

    kind: Literal["page_break"]


Block = Annotated[
    Question | Matrix | Section | Note | Instruction | Fields | Personal | Lines | PageBreak,
    Field(discriminator="kind"),
]


class Questions(_Part):
    """A whole form in words."""

    schema_: Literal[1] = Field(alias="schema", default=1)
    id: str = Field(pattern=ID_PATTERN)
    title: Text
    version: Text = "1"
    language: Literal["vi", "en"] = "vi"
    """Of what the program itself prints: page numbers, instruction, the country's name."""
    rule: Rule = Rule()
    secrecy: FormSecrecy = FormSecrecy()
    """What no export of its counts may tell."""
    paper: Literal["A4", "A5"] = "A4"
    sides: Literal[1, 2] = 2
    """Sides of a piece of paper that are printed."""
    text_pt: float | None = Field(default=None, ge=9, le=16)
    """Size of the text; 11 on A4 and 10 on A5 if nothing is given."""
    code: bool = False
    """A QR code on each page names its form and page."""
    corner_marks: bool = False
    header: Literal["official", "plain", "none"] = "official"
    """Offices left and country right; the offices alone; nothing."""
    organisation: Texts = ()
    """The offices of the head, the issuing one last."""
    heading: Text
    subheading: Texts = ()
    """Lines below the heading; each is broken further where it must be."""
    introduction: Texts = ()
    blocks: tuple[Block, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.header == "official" and not self.organisation:
            raise MisplacedError(_("the official head needs its offices"), ("organisation",))
        told = any(isinstance(block, Instruction) for block in self.blocks)
        if self.rule.fill_cancels and not told:
            raise MisplacedError(
                _("a rule on corrections needs a block of kind 'instruction' that tells the voter"),
                ("rule", "cancel"),
            )
        places = list(self._contest_places())
        for number, (name, place) in enumerate(places):
            if any(name == other for other, _place in places[:number]):
                raise MisplacedError(_("the id {id!r} is there twice").format(id=name), place)
        return self

    def _contest_places(self) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        """The id of each contest, and where it stands."""
        for number, block in enumerate(self.blocks):
            match block:
                case Question():
                    yield block.id, ("blocks", number, "id")
                case Matrix():
                    for row_number, row in enumerate(block.rows):
                        yield row.id, ("blocks", number, "rows", row_number, "id")
                case _:
                    pass

    def texts(self) -> Iterator[str]:
        """Every text that is printed from this description."""
        yield from (*self.organisation, self.heading, *self.subheading, *self.introduction)
        for block in self.blocks:
            match block:
                case Question():
                    yield from (block.number or "", block.text or "")
                    yield from (option.label for option in block.options)
                case Matrix():
                    yield from (block.number or "", block.text or "", block.row_head or "")
                    yield from (step.label for step in block.scale)
                    yield from (row.text for row in block.rows)
                case Personal() | Fields():
                    yield (block.text or "") if isinstance(block, Personal) else ""
                    yield from (blank.label for row in block.rows for blank in row)
                case Section() | Note() | Lines():
                    yield block.text
                case PageBreak() | Instruction():
                    pass


def _check_choices(choices: Sequence[Choice | Step], field: str, most: int) -> None:
    ids = [choice.id for choice in choices]
    for number, name in enumerate(ids):
        if name in ids[:number]:
            raise MisplacedError(
                _("the id {id!r} is there twice").format(id=name), (field, number, "id")
            )
    if most > len(ids):
        raise MisplacedError(_("more may be chosen than there are answers"), ("max",))


def read_questions(path: Path) -> Questions:
    """Read a description.

    Raises:
        FormError: It is missing or faulty; the message names the file, the line and the field.
    """
    try:
        data = YAML(typ="rt").load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        reason = " ".join(str(error).split())
        raise FormError(
            _("The description cannot be read ({reason}).").format(reason=reason), path=path
        ) from error
    if not isinstance(data, CommentedMap):
        raise FormError(
            _("A description starts with 'schema: 1' and 'id: …'."),
            remedy=_("'kiemphieu form new' writes one to begin with."),
            path=path,
        )
    try:
        return Questions.model_validate(data)
    except ValidationError as error:
        raise FormError(
            explain_faults(error, data) + ".",
            remedy=_("docs/questions.md describes every field."),
            path=path,
        ) from error


def write_questions_draft(path: Path, *, language: str) -> None:
    """Write a description to begin with: commented, complete, and printable as it stands.

    Args:
        path: The file to write; it must not be there.
        language: ``vi`` or ``en``; both the form and the comments are in it.

    Raises:
        FormError: There is such a file already.
        StorageError: It cannot be written.
        ValueError: There is no draft in that language.
    """
    draft = DRAFTS / f"questions.{language}.yaml"
    if not draft.is_file():
        raise ValueError(f"no draft in {language!r}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(draft.read_text(encoding="utf-8"))
    except FileExistsError as error:
        raise FormError(
            _("There is such a file already."), remedy=_("Choose another name."), path=path
        ) from error
    except OSError as error:
        raise StorageError(
            _("The file cannot be written ({reason}).").format(reason=error.strerror or error),
            path=path,
        ) from error
