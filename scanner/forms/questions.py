"""A form described in words: ``questions.yaml`` read and checked.

The description says what is printed and in which order; ``layout`` decides where.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from scanner.errors import FormError
from scanner.forms.template import ID_PATTERN
from scanner.messages import gettext as _

QUESTIONS_FILE = "questions.yaml"


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))


Text = Annotated[str, AfterValidator(_nfc), Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Choice(_Part):
    """One answer; with ``write_in`` dots follow its label."""

    id: str = Field(min_length=1, max_length=200)
    label: Text
    write_in: bool = False


class Question(_Part):
    """A question with its answers. Without a text it belongs to the section above it."""

    kind: Literal["question"]
    id: str = Field(min_length=1, max_length=200)
    text: Text | None = None
    inline: bool = False
    """The text stands to the left of the answers, not above them."""
    title: Text | None = None
    """What the question is called in a tally; the text if nothing is given."""
    max: int = Field(default=1, ge=1)
    columns: Literal[1, 2, 3] | None = None
    """Answers beside each other; the most that fit if nothing is given."""
    options: tuple[Choice, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_a_name(self) -> Self:
        if self.text is None and (self.title is None or self.inline):
            raise ValueError("a question without a text needs a title, and is not inline")
        return self


class Section(_Part):
    """A heading; it stays on the page of what follows."""

    kind: Literal["section"]
    text: Text


class Note(_Part):
    """A sentence to the reader."""

    kind: Literal["note"]
    text: Text
    style: Literal["plain", "bold", "italic"] = "italic"
    centered: bool = False


class Lines(_Part):
    """Room to write on dotted lines."""

    kind: Literal["lines"]
    text: Text
    count: int = Field(default=2, ge=1, le=30)


class Personal(_Part):
    """Rows of labels with dots for the voter's name, address and so on: a private zone."""

    kind: Literal["personal"]
    rows: tuple[tuple[Text, ...], ...] = Field(min_length=1)


class PageBreak(_Part):
    """What follows starts on a new page."""

    kind: Literal["page_break"]


Block = Annotated[
    Question | Section | Note | Lines | Personal | PageBreak, Field(discriminator="kind")
]


class Questions(_Part):
    """A whole form in words."""

    schema_: Literal[1] = Field(alias="schema", default=1)
    id: str = Field(pattern=ID_PATTERN)
    title: Text
    version: Text = "1"
    language: Text = "vi"
    organisation: tuple[Text, Text]
    """The parent office and the office, for the left of the head."""
    heading: Text
    subheading: Text
    blocks: tuple[Block, ...] = Field(min_length=1)

    def texts(self) -> Iterator[str]:
        """Every text that is printed from this description."""
        yield from (*self.organisation, self.heading, self.subheading)
        for block in self.blocks:
            match block:
                case Question():
                    yield block.text or ""
                    yield from (option.label for option in block.options)
                case Personal():
                    yield from (label for row in block.rows for label in row)
                case PageBreak():
                    pass
                case Section() | Note() | Lines():
                    yield block.text


def read_questions(path: Path) -> Questions:
    """Read a description.

    Raises:
        FormError: It is missing or faulty; the message names the file and the field.
    """
    try:
        return Questions.model_validate(YAML(typ="safe").load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        reason = " ".join(str(error).split())
        raise FormError(
            _("The description cannot be read ({reason}).").format(reason=reason), path=path
        ) from error
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(str(step) for step in fault["loc"]) or "form"
        raise FormError(
            _("The description is faulty at {field}: {reason}.").format(
                field=field, reason=fault["msg"]
            ),
            path=path,
        ) from error
