"""``form.yaml`` read, checked and hashed.

All positions are in millimetres from the top left corner of the page, so a form does not
depend on the resolution of its blank.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from scanner.errors import FormError
from scanner.forms.faults import MisplacedError, explain_faults
from scanner.geometry import Box
from scanner.messages import gettext as _

FORM_FILE = "form.yaml"
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"


def _nfc(text: str) -> str:
    """Text in Unicode's composed form, no-break spaces made plain."""
    return unicodedata.normalize("NFC", text).replace("\N{NO-BREAK SPACE}", " ").strip()


Text = Annotated[str, AfterValidator(_nfc)]
FormId = Annotated[str, Field(pattern=ID_PATTERN)]
Length = Annotated[float, Field(gt=0, lt=2000)]
TEXT_SHAPES = frozenset({"label", "strike"})
"""Targets that are printed words: circled or underlined, or struck out."""
Position = Annotated[float, Field(ge=0, lt=2000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Option(_Part):
    """One answer of a contest, and the target for its mark."""

    id: str = Field(min_length=1, max_length=200)
    label: Text = ""
    page: int = Field(default=1, ge=1)
    shape: Literal["box", "oval", "circle", "arrow", "cell", "label", "strike"] = "box"
    """``label``: the printed words are circled or underlined; ``strike``: they are struck out."""
    x: Position
    y: Position
    w: Length
    h: Length

    @property
    def box(self) -> Box:
        """The tight box of the printed outline or of the printed words, in millimetres."""
        return Box(self.x, self.y, self.w, self.h)


class Contest(_Part):
    """One question, with how many options may be chosen.

    Where its names are struck out, those that are left are chosen, and ``max`` is the number of
    seats.
    """

    id: str = Field(min_length=1, max_length=200)
    title: Text = ""
    max: int = Field(default=1, ge=1)
    breakdown: bool = False
    """It says who answers, as the field of service does, and is no question of the survey."""
    options: tuple[Option, ...] = Field(min_length=1)

    @model_serializer(mode="wrap")
    def _leave_out_the_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without ``breakdown`` where it is false: forms of before keep their content hash."""
        fields: dict[str, Any] = handler(self)
        if not self.breakdown:
            fields.pop("breakdown", None)
        return fields

    @model_validator(mode="after")
    def _options_differ(self) -> Self:
        _must_differ([option.id for option in self.options], "options", "id")
        return self

    @model_validator(mode="after")
    def _all_or_none_is_struck(self) -> Self:
        strange = [
            number
            for number, option in enumerate(self.options)
            if (option.shape == "strike") != self.is_struck
        ]
        if strange:
            raise MisplacedError(
                _("in one contest either all names are struck out or none"),
                ("options", strange[0], "shape"),
            )
        return self

    @property
    def is_struck(self) -> bool:
        """Whether voters strike names out: those left are chosen."""
        return self.options[0].shape == "strike"


class Zone(_Part):
    """A rectangle of a page where voters write about themselves.

    Its place is recorded, and drawn on the picture of the form. Nothing written in it is kept
    as text. On the review page it is covered for all but the committee; the pictures that ``show``
    writes are not covered.
    """

    page: int = Field(default=1, ge=1)
    x: Position
    y: Position
    w: Length
    h: Length


class Comment(_Part):
    """A place where voters write in their own words: comment lines, or the dots of a write-in.

    What is written there can be typed by a person; it is never required, and counts for no vote.
    """

    id: str = Field(min_length=1, max_length=200)
    title: Text = ""
    page: int = Field(default=1, ge=1)
    x: Position
    y: Position
    w: Length
    h: Length
    private: bool = True
    """Crops and typed texts are shown to those only who may decide."""

    @property
    def box(self) -> Box:
        """The place to write, in millimetres."""
        return Box(self.x, self.y, self.w, self.h)


class Page(_Part):
    """One side of the form, with its blank."""

    number: int = Field(ge=1)
    blank: str = Field(pattern=r"^[^/\\]+\.png$")
    width_mm: Length
    height_mm: Length
    code: Text | None = None
    """The text of the page's printed QR code without its serial, if it has one."""


class Rule(_Part):
    """How a voter marks, and what always goes before a person.

    ``cancel`` is what the form tells the voter about corrections: with ``fill-cancels`` a box
    that is blackened out takes the mark back. Such a box is always shown to a person.
    """

    cancel: Literal["none", "fill-cancels", "filled"] = "none"
    """``filled`` is the older word for ``fill-cancels``: forms that have it keep their hash."""
    review: tuple[Literal["undervote", "blank_contest", "blank_sheet", "nothing_struck"], ...] = ()

    @property
    def fill_cancels(self) -> bool:
        """Whether a box that is blackened out takes its mark back."""
        return self.cancel != "none"


class FormSecrecy(_Part):
    """What no export of a count of this form may tell, whoever asks for it.

    An export may be asked to tell less, never more.
    """

    shuffled: bool = False
    """Nothing that leaves the house tells in which order the sheets were scanned."""
    smallest_group: int = Field(default=0, ge=0, le=10_000)
    """Groups of fewer valid sheets get no figures of their own; 0 hides none."""


class Form(_Part):
    """A registered form."""

    schema_: Literal[1] = Field(alias="schema", default=1)
    id: FormId
    title: Text = ""
    version: Text = "1"
    language: Text = "vi"
    rule: Rule = Rule()
    secrecy: FormSecrecy = FormSecrecy()
    pages: tuple[Page, ...] = Field(min_length=1)
    contests: tuple[Contest, ...] = ()
    private: tuple[Zone, ...] = ()
    comments: tuple[Comment, ...] = ()

    _folder: Path | None = None

    @model_serializer(mode="wrap")
    def _leave_out_the_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what forms of before have not: they keep their content hash."""
        fields: dict[str, Any] = handler(self)
        if not self.comments:
            fields.pop("comments", None)
        if self.secrecy == FormSecrecy():
            fields.pop("secrecy", None)
        return fields

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _must_differ([page.number for page in self.pages], "pages", "number")
        _must_differ([contest.id for contest in self.contests], "contests", "id")
        _must_differ([comment.id for comment in self.comments], "comments", "id")
        for number, comment in enumerate(self.comments):
            self._check_place(comment, comment.id, ("comments", number))
        for number, contest in enumerate(self.contests):
            for place, option in enumerate(contest.options):
                self._check_place(
                    option, f"{contest.id}/{option.id}", ("contests", number, "options", place)
                )
        return self

    def _check_place(self, part: Option | Comment, name: str, steps: tuple[str | int, ...]) -> None:
        page = self.page(part.page)
        if page is None:
            raise MisplacedError(
                _("{name} lies on page {page}, which the form has not").format(
                    name=name, page=part.page
                ),
                steps,
            )
        if part.box.right > page.width_mm + 0.5 or part.box.bottom > page.height_mm + 0.5:
            raise MisplacedError(_("{name} lies outside its page").format(name=name), steps)

    def targets(self) -> Iterator[tuple[Contest, Option]]:
        """Every target of the form in printed order, with its contest."""
        for contest in self.contests:
            for option in contest.options:
                yield contest, option

    def targets_on(self, number: int) -> list[tuple[Contest, Option]]:
        """The targets of one page; empty for a page that only has text."""
        return [(contest, option) for contest, option in self.targets() if option.page == number]

    @cached_property
    def shapes(self) -> dict[tuple[str, str], str]:
        """The shape of each target, by the ids of its contest and its option."""
        return {(contest.id, option.id): option.shape for contest, option in self.targets()}

    def page(self, number: int) -> Page | None:
        """The page with that number, or None."""
        return next((page for page in self.pages if page.number == number), None)

    def contest(self, contest_id: str) -> Contest | None:
        """The contest with that id, or None."""
        return next((contest for contest in self.contests if contest.id == contest_id), None)

    def comment(self, comment_id: str) -> Comment | None:
        """The comment zone with that id, or None."""
        return next((one for one in self.comments if one.id == comment_id), None)

    @property
    def folder(self) -> Path:
        """Where the form was read from.

        Raises:
            FormError: The form was made in memory.
        """
        if self._folder is None:
            raise FormError(_("The form {form} has no folder yet.").format(form=self.id))
        return self._folder

    def blank_path(self, page: Page) -> Path:
        """The file with the blank of a page."""
        return self.folder / page.blank

    def kept_in(self, folder: Path) -> Form:
        """The same form, with its blanks in a folder."""
        form = self.model_copy()
        form._folder = folder
        return form

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over what the form says and over its blanks: 64 hexadecimal digits.

        Comments and lay-out of the YAML do not count; one pixel of a blank does.
        """
        return self._hash(self)

    @cached_property
    def hash_without_comments(self) -> str:
        """The content hash that it would have without comment zones, on which no vote depends."""
        return self._hash(self.model_copy(update={"comments": ()}))

    def _hash(self, content: Form) -> str:
        digest = hashlib.sha256(content.model_dump_json(by_alias=True).encode())
        for page in self.pages:
            digest.update(self.blank_path(page).read_bytes())
        return digest.hexdigest()


def _must_differ(values: Sequence[object], parts: str, field: str) -> None:
    for number, value in enumerate(values):
        if value in values[:number]:
            raise MisplacedError(
                _("{name!r} is there twice").format(name=value), (parts, number, field)
            )


def read_form(folder: Path, file: str = FORM_FILE) -> Form:
    """Read and check ``folder/form.yaml`` and see that its blanks are there.

    Args:
        folder: The folder of the form.
        file: Another file of it, such as that of a former version.

    Raises:
        FormError: Names the file, the line and the field, and says what to do.
    """
    path = folder / file
    if not path.is_file():
        raise FormError(_("There is no form.yaml here."), path=folder)
    try:
        data = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise FormError(
            _("This is not YAML ({reason}).").format(reason=reason), remedy=_described(), path=path
        ) from error
    if not isinstance(data, CommentedMap):
        raise FormError(
            _("A form.yaml starts with 'schema: 1' and 'id: …'."), remedy=_described(), path=path
        )
    try:
        form = Form.model_validate(data)
    except ValidationError as error:
        raise FormError(
            explain_faults(error, data) + ".", remedy=_described(), path=path
        ) from error
    form._folder = folder
    for page in form.pages:
        if not form.blank_path(page).is_file():
            raise FormError(
                _("Page {page} names the blank {blank!r}, which is not there.").format(
                    page=page.number, blank=page.blank
                ),
                remedy=_("Copy it into the folder, or import the form again."),
                path=path,
            )
    return form


def _described() -> str:
    return _("docs/forms.md describes every field.")


def write_form(form: Form, folder: Path) -> None:
    """Write ``form.yaml`` into a folder, one option a line."""
    yaml = YAML()
    yaml.width = 10_000
    yaml.allow_unicode = True
    data: dict[str, Any] = form.model_dump(by_alias=True, mode="json", exclude_defaults=True)
    data = {"schema": 1, **data}
    for contest in data.get("contests", []):
        options = CommentedSeq()
        for option in contest["options"]:
            line = CommentedMap({name: _quoted(value) for name, value in option.items()})
            line.fa.set_flow_style()
            options.append(line)
        contest["options"] = options
    with (folder / FORM_FILE).open("w", encoding="utf-8", newline="\n") as stream:
        yaml.dump(data, stream)


def _quoted(value: Any) -> Any:
    """A text in double quotes: bare, ``?0`` or ``a: b`` would mean something else within braces."""
    return DoubleQuotedScalarString(value) if isinstance(value, str) else value
