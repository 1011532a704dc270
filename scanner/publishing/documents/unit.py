"""``unit.yaml``: what a document says about the unit and the day, and no figure of the count.

Names, numbers and dates of documents, who signs, who receives: all that no scan can tell. The
figures come from the count alone. Two kinds of figures stand here that the count cannot know, and
they are compared with it: papers by channel, and the dossiers of the period.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from scanner.errors import UnreadableFileError
from scanner.forms.faults import MisplacedError, explain_faults
from scanner.messages import gettext as _

NEW_UNIT = Path(__file__).with_name("unit_new.yaml")
"""The commented file that ``kiemphieu unit`` writes."""


def _nfc(text: str) -> str:
    """Composed, with plain spaces: texts from office programs often are not."""
    return " ".join(unicodedata.normalize("NFC", text).replace("\N{NO-BREAK SPACE}", " ").split())


Text = Annotated[str, AfterValidator(_nfc)]
Name = Annotated[str, AfterValidator(_nfc), Field(min_length=1, max_length=500)]
Day = date
"""A date, where a field is called so itself."""
Figure = Annotated[int, Field(ge=0)]


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(_Facts):
    """Somebody who takes part, with the office held."""

    name: Name
    role: Text = ""


class Period(_Facts):
    """The time a survey covers; free dates, for an office's quarter seldom is one of the year."""

    name: Name
    first: date = Field(alias="from")
    last: date = Field(alias="to")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.last < self.first:
            raise MisplacedError(_("the period ends before it begins"), ("to",))
        return self


class Signer(_Facts):
    """Who signs for the office."""

    authority: tuple[Name, ...] = ()
    """Lines as they are printed: TM. ỦY BAN NHÂN DÂN, KT. CHỦ TỊCH, PHÓ CHỦ TỊCH."""
    name: Text = ""


class Committee(_Facts):
    """Who counts."""

    head: Person
    members: tuple[Person, ...] = ()
    secretary: Person
    witnesses: tuple[Person, ...] = ()


class Minutes(_Facts):
    """The counting itself."""

    number: int | None = Field(default=None, ge=1)
    start: datetime | None = None
    end: datetime | None = None
    place: Text = ""
    box: Literal["intact", "broken"] | None = None
    """The seal of the ballot box before it was opened."""
    recipients: tuple[Name, ...] = ()


class Remarks(_Facts):
    """What people say about the result; where nothing is said, stock paragraphs stand."""

    strengths: tuple[Name, ...] = ()
    shortcomings: tuple[Name, ...] = ()
    proposals: tuple[Name, ...] = ()


class Report(_Facts):
    """The report to a higher body."""

    number: int | None = Field(default=None, ge=1)
    date: Day | None = None
    addressee: Text = ""
    introduction: Text = ""
    """On what it rests: Thực hiện Quyết định số …"""
    plan: Text = ""
    method: Text = ""
    published: Text = ""
    remarks: Remarks = Remarks()
    recipients: tuple[Name, ...] = ()


class PublicNotice(_Facts):
    """The notice for the board and the portal."""

    number: int | None = Field(default=None, ge=1)
    date: Day | None = None
    feedback: Text = ""
    """Where people write or call."""
    recipients: tuple[Name, ...] = ()


class Posting(_Facts):
    """Where and when the result hangs on the board."""

    number: int | None = Field(default=None, ge=1)
    start: datetime | None = None
    end: datetime | None = None
    """When the minutes were finished, not when the posting ends."""
    place: Text = ""
    board: Text = ""
    first_day: date | None = None
    days: int = Field(default=15, ge=1, le=366)
    counts_first_day: bool = True
    """Whether the first day is one of the days; the Civil Code leaves it out."""
    present: tuple[Person, ...] = ()
    with_all: Text = ""
    """Others present without their names: toàn thể công chức tại …"""

    @property
    def last_day(self) -> date | None:
        """The last day on which it hangs."""
        if self.first_day is None:
            return None
        return self.first_day + timedelta(days=self.days - (1 if self.counts_first_day else 0))


class Election(_Facts):
    """An election-style vote."""

    title: Text = ""
    voters: int | None = Field(default=None, ge=0)
    seats: int | None = Field(default=None, ge=1)
    area: Text = ""
    complaints: Text = ""


class Channel(_Facts):
    """One way in which papers went out and came back, as the unit wrote it down."""

    name: Name
    issued: Figure | None = None
    returned: Figure


class Dossiers(_Facts):
    """The dossiers of the period by several ways of sorting, as the unit wrote them down."""

    total: Figure
    sorted_by: dict[Name, dict[Name, Figure]] = {}


class Unit(_Facts):
    """Everything a document says that is no figure of the count."""

    schema_: Literal[1] = Field(alias="schema", default=1)
    name: Name
    """As in a sentence: UBND phường Hương Long."""
    superior: tuple[Name, ...] = ()
    issuer: tuple[Name, ...] = Field(min_length=1)
    """Lines of the head, in capitals."""
    symbol: Name
    """Of the office in the numbers of documents: UBND."""
    place: Name
    subject: Name
    """What was asked, as it continues "Kết quả …": khảo sát mức độ hài lòng …"""
    desk: Text = ""
    """The desk with the ballot box."""
    period: Period
    earlier: tuple[Period, ...] = ()
    """Periods that were reported before; none may overlap this one."""
    committee: Committee | None = None
    signer: Signer = Signer()
    minutes: Minutes = Minutes()
    report: Report = Report()
    notice: PublicNotice = PublicNotice()
    posting: Posting = Posting()
    election: Election = Election()
    channels: tuple[Channel, ...] = ()
    dossiers: Dossiers | None = None
    unit_column: Text = "Xã, phường"
    """Head of the column of units in a roll-up."""


def read_unit(path: Path) -> Unit:
    """Read and check a ``unit.yaml``.

    Raises:
        UnreadableFileError: Names the file, the line and the field, and says what to do.
    """
    described = _(
        "docs/documents.md describes every field; 'kiemphieu unit FILE' writes an example."
    )
    try:
        data: Any = YAML(typ="rt").load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UnreadableFileError(
            _("The facts about the unit cannot be read ({reason}).").format(
                reason=error.strerror or error
            ),
            remedy=described,
            path=path,
        ) from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise UnreadableFileError(
            _("This is not YAML ({reason}).").format(reason=" ".join(str(error).split())),
            remedy=described,
            path=path,
        ) from error
    if not isinstance(data, CommentedMap):
        raise UnreadableFileError(
            _("A unit.yaml starts with 'schema: 1' and 'name: …'."), remedy=described, path=path
        )
    try:
        return Unit.model_validate(data)
    except ValidationError as error:
        raise UnreadableFileError(
            explain_faults(error, data) + ".", remedy=described, path=path
        ) from error
