"""A form while a person corrects it: its targets, questions and zones under keys that stay.

A draft is never changed in place: each edit makes another one, so undoing is keeping. What an
edit makes is checked as the form that it will be; an edit that makes no form is refused in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from scanner.errors import FormError
from scanner.forms.faults import MisplacedError
from scanner.forms.template import Comment, Contest, Form, Option, Page, Zone
from scanner.geometry import Box
from scanner.messages import gettext as _

Part = TypeVar("Part", bound=BaseModel)
ZoneKind = Literal["private", "comments"]

MOST_STEPS = 200
"""So many edits can be undone."""


@dataclass(frozen=True, slots=True)
class Target:
    """A place for a mark; one that no question names yet is loose."""

    key: int
    option: Option


@dataclass(frozen=True, slots=True)
class Question:
    """A contest, its targets named by their keys in printed order."""

    key: int
    id: str
    title: str = ""
    max: int = 1
    breakdown: bool = False
    targets: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Area:
    """A private zone, or one where voters write in their own words."""

    key: int
    zone: Comment | Zone

    @property
    def kind(self) -> ZoneKind:
        """Which of the two it is."""
        return "comments" if isinstance(self.zone, Comment) else "private"


Keyed = TypeVar("Keyed", Target, Question, Area)


@dataclass(frozen=True, slots=True)
class Draft:
    """A form in the making."""

    header: Form
    """What the form says of itself, and its pages; without contests and zones."""
    targets: tuple[Target, ...] = ()
    questions: tuple[Question, ...] = ()
    areas: tuple[Area, ...] = ()
    next_key: int = 1
    """Keys are never used again, also when a thing was deleted."""

    def target(self, key: int) -> Target:
        """The target with that key.

        Raises:
            FormError: It is not there any more.
        """
        return _with_key(self.targets, key)

    def question(self, key: int) -> Question:
        """The question with that key.

        Raises:
            FormError: It is not there any more.
        """
        return _with_key(self.questions, key)

    def area(self, key: int) -> Area:
        """The zone with that key.

        Raises:
            FormError: It is not there any more.
        """
        return _with_key(self.areas, key)

    def page(self, number: int) -> Page:
        """The page with that number.

        Raises:
            FormError: The form has no such page.
        """
        page = self.header.page(number)
        if page is None:
            raise FormError(_("The form has no page {page}.").format(page=number))
        return page

    def question_of(self, key: int) -> Question | None:
        """The question that a target belongs to, None for a loose one."""
        return next((question for question in self.questions if key in question.targets), None)

    def loose(self) -> list[Target]:
        """The targets that no question names."""
        named = {key for question in self.questions for key in question.targets}
        return [target for target in self.targets if target.key not in named]


def _with_key(parts: Iterable[Keyed], key: int) -> Keyed:
    found = next((part for part in parts if part.key == key), None)
    if found is None:
        raise FormError(
            _("What was to be changed is not there any more."),
            remedy=_("Look at the page as it is now, and do it again."),
        )
    return found


def make_draft(form: Form) -> Draft:
    """The draft that a registered form begins as."""
    numbers = count(1)
    targets: list[Target] = []
    questions: list[Question] = []
    for contest in form.contests:
        own = [Target(next(numbers), option) for option in contest.options]
        targets += own
        questions.append(
            Question(
                next(numbers),
                contest.id,
                contest.title,
                contest.max,
                contest.breakdown,
                tuple(target.key for target in own),
            )
        )
    zones: tuple[Comment | Zone, ...] = (*form.private, *form.comments)
    areas = tuple(Area(next(numbers), zone) for zone in zones)
    # Made anew, so that it is equal to any other that says the same, whatever its folder.
    header = Form(**_fields(form))
    return Draft(header, tuple(targets), tuple(questions), areas, next(numbers))


def make_form(draft: Draft) -> Form:
    """The form that a draft says, without its loose targets.

    Raises:
        FormError: It is no form; the message says why.
    """
    try:
        return Form(
            **_fields(draft.header),
            contests=tuple(_contest(draft, question) for question in draft.questions),
            private=tuple(a.zone for a in draft.areas if isinstance(a.zone, Zone)),
            comments=tuple(a.zone for a in draft.areas if isinstance(a.zone, Comment)),
        )
    except ValidationError as error:
        raise _no_form(error) from error


def check_draft(draft: Draft) -> Draft:
    """The same draft, if it and each of its loose targets make a form.

    Raises:
        FormError: The edit that led here cannot be; the message says why.
    """
    make_form(draft)
    for target in draft.loose():
        page = draft.page(target.option.page)
        if target.option.box.right > page.width_mm or target.option.box.bottom > page.height_mm:
            raise FormError(_("A box cannot lie outside its page."))
    for zone in (area.zone for area in draft.areas):
        page = draft.page(zone.page)
        if zone.x + zone.w > page.width_mm + 0.5 or zone.y + zone.h > page.height_mm + 0.5:
            raise FormError(_("A zone cannot lie outside its page."))
    return draft


def changed(part: Part, **fields: Any) -> Part:
    """A part of a form with other values, checked.

    Raises:
        FormError: A value cannot be.
    """
    try:
        return type(part).model_validate({**_fields(part), **fields})
    except ValidationError as error:
        raise _no_form(error) from error


def place_of(part: Option | Zone | Comment) -> Box:
    """Where a target or a zone lies, in millimetres."""
    return Box(part.x, part.y, part.w, part.h)


def free_id(taken: Iterable[str], prefix: str) -> str:
    """``q1``, or the first of ``q2``, ``q3`` and so on that nobody has."""
    known = set(taken)
    return next(name for n in count(1) if (name := f"{prefix}{n}") not in known)


def _contest(draft: Draft, question: Question) -> Contest:
    return Contest(
        id=question.id,
        title=question.title,
        max=question.max,
        breakdown=question.breakdown,
        options=tuple(draft.target(key).option for key in question.targets),
    )


def _fields(part: BaseModel) -> dict[str, Any]:
    """The fields of a part by the names that they have in ``form.yaml``, parts left whole."""
    model = type(part)
    names = {name: field.alias or name for name, field in model.model_fields.items()}
    left_out = {"contests", "private", "comments"} if model is Form else set()
    return {names[name]: value for name, value in part if name not in left_out}


def _no_form(error: ValidationError) -> FormError:
    return FormError("; ".join(_sentences(error)), remedy=_("Nothing was changed."))


def _sentences(error: ValidationError) -> Iterator[str]:
    for fault in error.errors()[:3]:
        inner = fault.get("ctx", {}).get("error")
        if isinstance(inner, MisplacedError):
            yield f"{inner}."
        else:
            field = str(fault["loc"][-1]) if fault["loc"] else "form"
            yield _("“{field}” cannot have this value: {reason}.").format(
                field=field, reason=fault["msg"]
            )


@dataclass(frozen=True, slots=True)
class History:
    """A draft with those before it and those that were taken back."""

    present: Draft
    past: tuple[Draft, ...] = ()
    future: tuple[Draft, ...] = ()

    def after(self, draft: Draft) -> History:
        """An edit was made; one that changes nothing is none."""
        if draft == self.present:
            return self
        return History(draft, (*self.past, self.present)[-MOST_STEPS:])

    def undone(self) -> History:
        """Back before the last edit; the same where there is none."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.present, *self.future))

    def redone(self) -> History:
        """Forth to the edit that was undone last; the same where there is none."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.present), self.future[1:])


_ADAPTER: TypeAdapter[Draft] = TypeAdapter(Draft)


def dump_draft(draft: Draft) -> dict[str, Any]:
    """A draft as plain JSON values, which :func:`load_draft` reads."""
    dumped: dict[str, Any] = _ADAPTER.dump_python(draft, mode="json", by_alias=True)
    return dumped


def load_draft(data: object) -> Draft:
    """A draft from plain JSON values.

    Raises:
        FormError: They are no draft.
    """
    try:
        return check_draft(_ADAPTER.validate_python(data))
    except ValidationError as error:
        raise FormError(_("This is no draft of a form.")) from error
