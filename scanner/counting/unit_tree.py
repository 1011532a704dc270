"""Who adds up into whom: ``units.yaml`` read and checked.

A tree of any depth; no level has a name of its own, as wards, towns and provinces come and go.
Every field is described in ``docs/merging.md``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from scanner.counting.periods import Period, read_period
from scanner.errors import InputError
from scanner.forms.faults import MisplacedError, explain_faults
from scanner.messages import gettext as _


def _one_line(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _year_as_text(value: Any) -> Any:
    """A bare year is a number to YAML."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _period_id(text: str) -> str:
    return read_period(text).id


def _weight(value: Any) -> Fraction:
    """A whole number, or two with a stroke between: never a binary fraction."""
    try:
        weight = Fraction(value) if isinstance(value, int | str) else None
    except (ValueError, ZeroDivisionError):
        weight = None
    if weight is None or isinstance(value, bool) or weight <= 0:
        raise ValueError(_("write a whole number from 1, or a fraction in quotes such as '3/2'"))
    return weight


Text = Annotated[str, AfterValidator(_one_line), Field(min_length=1)]
PeriodId = Annotated[str, BeforeValidator(_year_as_text), AfterValidator(_period_id)]
Weight = Annotated[Fraction, PlainValidator(_weight)]
Papers = Annotated[int, Field(ge=1)]


Model = TypeVar("Model", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KnownTotal(_Part):
    """The papers of a whole period, as known from elsewhere.

    Nothing but the papers of the one part that is missing is worked out from them.
    """

    period: PeriodId
    returned: int = Field(ge=0)


class Unit(_Part):
    """A ward, a town, a province, a department."""

    id: str = Field(min_length=1, max_length=200)
    """As it stands in the tallies."""
    name: Text
    quota: Papers | None = None
    """Papers that it has to bring back, each period."""
    own_tally: bool = False
    """It has units below it and counts ballots of its own as well."""
    weight: Weight = Fraction(1)
    """How much each of its ballots weighs in weighted totals."""
    totals: tuple[KnownTotal, ...] = ()
    units: tuple[Unit, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.quota is not None and not self.is_filing:
            raise MisplacedError(
                _("a unit that only adds up others has no quota; or say 'own_tally: true'"),
                ("quota",),
            )
        return self

    @property
    def is_filing(self) -> bool:
        """Whether a tally of its own is awaited."""
        return not self.units or self.own_tally

    def all_units(self) -> Iterator[Unit]:
        """This unit and all below it, in the order of the file."""
        yield self
        for unit in self.units:
            yield from unit.all_units()


class ReportingPeriod(_Part):
    """A period for which each unit files a tally."""

    id: PeriodId
    due: date | None = None
    """The last day on which a tally is in time."""

    @property
    def period(self) -> Period:
        """Its days."""
        return read_period(self.id)


class UnitTree(_Part):
    """All units, and what is awaited of them."""

    schema_: Literal[1] = Field(alias="schema", default=1)
    quota: Papers | None = None
    """Of each unit that has none of its own, each period."""
    periods: tuple[ReportingPeriod, ...] = ()
    unit: Unit
    """The one that everything adds up to."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        seen: set[str] = set()
        for unit, place in _places(self.unit, ("unit",)):
            if unit.id in seen:
                raise MisplacedError(
                    _("the id {id!r} is there twice").format(id=unit.id), (*place, "id")
                )
            seen.add(unit.id)
        for number, one in enumerate(self.periods):
            for other in self.periods[:number]:
                if one.period.overlaps(other.period):
                    raise MisplacedError(
                        _("the periods {one} and {other} overlap").format(
                            one=other.id, other=one.id
                        ),
                        ("periods", number, "id"),
                    )
        return self

    def find(self, unit_id: str) -> Unit | None:
        """The unit with that id, or None."""
        return next((unit for unit in self.unit.all_units() if unit.id == unit_id), None)

    def quota_of(self, unit: Unit) -> int | None:
        """Papers that a unit has to bring back each period; None where nothing is asked."""
        if not unit.is_filing:
            return None
        return unit.quota if unit.quota is not None else self.quota

    def awaited(self, period: Period) -> tuple[Period, ...]:
        """The periods for which each unit files a tally, within a longer one or the one itself."""
        within = tuple(one.period for one in self.periods if period.contains(one.period))
        return within or (period,)

    def due(self, period: Period) -> date | None:
        """The last day on which a tally of that period is in time; None where none is set."""
        exact = next((one.due for one in self.periods if one.id == period.id), None)
        if exact is not None:
            return exact
        days = [one.due for one in self.periods if one.due and period.contains(one.period)]
        return max(days, default=None)


def read_unit_tree(path: Path) -> UnitTree:
    """Read a tree of units.

    Raises:
        InputError: It is missing or faulty; the message names the file, the line and the field.
    """
    return check_yaml(UnitTree, path, _("A tree of units starts with 'schema: 1' and 'unit: …'."))


def check_yaml(model: type[Model], path: Path, beginning: str) -> Model:
    """Read a YAML file as a model.

    Args:
        model: What it must be.
        path: The file, UTF-8.
        beginning: The sentence that says how such a file begins.

    Raises:
        InputError: It is missing or faulty; the message names the file, the line and the field.
    """
    try:
        data = YAML(typ="rt").load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            _("The file cannot be read ({reason}).").format(reason=reason),
            remedy=_described(),
            path=path,
        ) from error
    if not isinstance(data, CommentedMap):
        raise InputError(beginning, remedy=_described(), path=path)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InputError(
            explain_faults(error, data) + ".", remedy=_described(), path=path
        ) from error


def _places(
    unit: Unit, place: tuple[str | int, ...]
) -> Iterator[tuple[Unit, tuple[str | int, ...]]]:
    yield unit, place
    for number, one in enumerate(unit.units):
        yield from _places(one, (*place, "units", number))


def _described() -> str:
    return _("docs/merging.md describes every field.")
