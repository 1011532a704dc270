"""The form's page: one form corrected at the bench, each edit a small message."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from pydantic import Field

from scanner.forms.findings import Severity
from scanner.forms.picture import encode_png, load_blank
from scanner.forms.template import read_form
from scanner.geometry import Box
from scanner.registering import edits
from scanner.registering.bench import Bench, Health, State
from scanner.registering.editing import Draft
from scanner.registering.proposing import Proposals
from scanner.review.context import Answer, Inside, show

router = APIRouter()

MOST_KEYS = 5000
Key = Annotated[int, Field(ge=1)]
Keys = Annotated[list[Key], Field(max_length=MOST_KEYS)]
Millimetres = Annotated[float, Field(ge=-2000, le=2000, allow_inf_nan=False)]
Words = Annotated[str, Field(max_length=2000)]
Shape = Literal["box", "oval", "circle", "arrow", "cell", "label", "strike"]
Review = Literal["undervote", "blank_contest", "blank_sheet", "nothing_struck"]


def bench_of(request: Request) -> Bench:
    """The bench of the form that this server is for."""
    return cast(Bench, request.app.state.bench)


BenchOf = Annotated[Bench, Depends(bench_of)]


class Place(Answer):
    """A rectangle in millimetres from the page's top left."""

    x: Millimetres
    y: Millimetres
    w: Annotated[float, Field(gt=0, le=2000)]
    h: Annotated[float, Field(gt=0, le=2000)]

    def box(self) -> Box:
        """The same as a box."""
        return Box(self.x, self.y, self.w, self.h)


class Move(Answer):
    """Shift targets and zones."""

    do: Literal["move"]
    keys: Keys
    dx: Millimetres
    dy: Millimetres

    def __call__(self, draft: Draft) -> Draft:
        """Carry it out."""
        return edits.move(draft, self.keys, self.dx, self.dy)


class Resize(Answer):
    """Make targets and zones wider and higher."""

    do: Literal["resize"]
    keys: Keys
    dw: Millimetres
    dh: Millimetres

    def __call__(self, draft: Draft) -> Draft:
        """Carry it out."""
        return edits.resize(draft, self.keys, self.dw, self.dh)


class Put(Answer):
    """Give one target or zone another place and size."""

    do: Literal["place"]
    key: Key
    place: Place

    def __call__(self, draft: Draft) -> Draft:
        """Carry it out."""
        return edits.place(draft, self.key, self.place.box())


class Add(Answer):
    """Draw one target."""

    do: Literal["add"]
    page: Key
    place: Place
    shape: Shape = "box"

    def __call__(self, draft: Draft) -> Draft:
        """Carry it out."""
        return edits.add_targets(draft, self.page, [(self.place.box(), self.shape)])


class AddZone(Answer):
    """Draw a private zone or one for comments."""

    do: Literal["zone"]
    page: Key
    place: Place
    kind: Literal["private", "comments"]

    def __call__(self, draft: Draft) -> Draft:
        """Carry it out."""
        return edits.add_zone(draft, self.kind, self.page, self.place.box())


class OfMany(Answer):
    """What is done with all that is selected."""

    do: Literal["delete", "duplicate", "group", "release"]
    keys: Keys

    def __call__(self, draft: Draft) -> Draft:
        """Carry it out."""
        match self.do:
            case "delete":
                return edits.delete(draft, self.keys)
            case "duplicate":
                return edits.duplicate(draft, self.keys)
            case "group":
                return edits.group(draft, self.keys)
            case "release":
                return edits.release(draft, self.keys)


class Join(Answer):
    """Bring targets to a question."""

    do: Literal["join"]
    keys: Keys
    question: Key

    def __call__(self, draft: Draft) -> Draft:
        """Carry it out."""
        return edits.join(draft, self.keys, self.question)


class Order(Answer):
    """Another order of options; with no keys that in which they are printed."""

    do: Literal["order"]
    question: Key
    keys: Keys = Field(default_factory=list)

    def __call__(self, draft: Draft) -> Draft:
        """Carry it out."""
        return edits.order_options(draft, self.question, self.keys)


class Shift(Answer):
    """A question further up or down the list."""

    do: Literal["shift"]
    question: Key
    by: Annotated[int, Field(ge=-1000, le=1000)]

    def __call__(self, draft: Draft) -> Draft:
        """Carry it out."""
        return edits.shift_question(draft, self.question, self.by)


class Fields(Answer):
    """Some fields of a part of the form; those that are left out stay as they are."""

    def given(self) -> dict[str, Any]:
        """The fields that were sent."""
        return self.model_dump(exclude_unset=True, exclude={"do", "key", "keys"})


class ChangeQuestion(Fields):
    """Title and rule of a question."""

    do: Literal["question"]
    key: Key
    id: Annotated[str, Field(min_length=1, max_length=200)] = ""
    title: Words = ""
    max: Annotated[int, Field(ge=1, le=1000)] = 1
    breakdown: bool = False

    def __call__(self, draft: Draft) -> Draft:
        """Carry it out."""
        return edits.change_question(draft, self.key, self.given())


class ChangeTargets(Fields):
    """Label or shape of targets."""

    do: Literal["targets"]
    keys: Keys
    id: Annotated[str, Field(min_length=1, max_length=200)] = ""
    label: Words = ""
    shape: Shape = "box"

    def __call__(self, draft: Draft) -> Draft:
        """Carry it out."""
        return edits.change_targets(draft, self.keys, self.given())


class ChangeZone(Fields):
    """Title of a comment zone, and who may read it."""

    do: Literal["comments"]
    key: Key
    title: Words = ""
    private: bool = True

    def __call__(self, draft: Draft) -> Draft:
        """Carry it out."""
        return edits.change_zone(draft, self.key, self.given())


class ChangeForm(Fields):
    """What the form says of itself, its rule, and its secrecy."""

    do: Literal["form"]
    title: Words = ""
    language: Annotated[str, Field(pattern="^[A-Za-z-]{2,20}$")] = "vi"
    cancel: Literal["none", "fill-cancels"] = "none"
    review: Annotated[tuple[Review, ...], Field(max_length=4)] = ()
    shuffled: bool = False
    smallest_group: Annotated[int, Field(ge=0, le=10_000)] = 0

    def __call__(self, draft: Draft) -> Draft:
        """Carry it out."""
        return edits.change_form(draft, self.given())


AnyEdit = Annotated[
    Move
    | Resize
    | Put
    | Add
    | AddZone
    | OfMany
    | Join
    | Order
    | Shift
    | ChangeQuestion
    | ChangeTargets
    | ChangeZone
    | ChangeForm,
    Field(discriminator="do"),
]


class Seen(Answer):
    """The number of the state that the browser shows."""

    seen: Annotated[int, Field(ge=1)]


class EditAsked(Seen):
    """One edit."""

    edit: AnyEdit


class FindAsked(Seen):
    """An example of a target."""

    page: Key
    place: Place


class ReadAsked(Seen):
    """Targets whose labels are to be read."""

    keys: Keys
    again: bool = False


class VersionAsked(Seen):
    """The name of a version."""

    version: Annotated[str, Field(min_length=1, max_length=60)]


class StateAnswer(Answer):
    """The draft as it is now."""

    number: int
    draft: Draft
    can_undo: bool
    can_redo: bool
    is_saved: bool
    selected: tuple[int, ...]
    next_version: str
    former: list[str]


class FindingAnswer(Answer):
    """One finding, with where it is."""

    is_fault: bool
    message: str
    remedy: str
    page: int | None
    weight: int
    keys: tuple[int, ...]


class HealthAnswer(Answer):
    """How fit the form is."""

    number: int
    score: int
    findings: list[FindingAnswer]
    is_complete: bool


class ProposalAnswer(Answer):
    """What is printed for a target or a question."""

    key: int
    text: str
    sure: float


class ProposalsAnswer(Answer):
    """What is printed."""

    is_ready: bool
    """False while it is still being read; ask again."""
    labels: list[ProposalAnswer]
    titles: list[ProposalAnswer]


@router.get("/", include_in_schema=False)
def show_form(request: Request, _session: Inside, bench: BenchOf) -> Response:
    """The page."""
    return show(
        request,
        "form.html",
        form_id=bench.form_id,
        pages=bench.state().draft.header.pages,
        state=_answer(bench, bench.state()).model_dump(mode="json", by_alias=True),
        taken_up=f"{bench.taken_up:%H:%M %d/%m/%Y}" if bench.taken_up else "",
        was_changed=bench.was_changed,
    )


@router.get("/form/blank/{number}.png", include_in_schema=False)
def show_blank(_session: Inside, bench: BenchOf, number: int) -> Response:
    """The blank of a page."""
    form = read_form(bench.folder)
    page = form.page(number)
    if page is None:
        raise HTTPException(404)
    return Response(encode_png(load_blank(form, page)), media_type="image/png")


@router.get("/form/state")
def get_state(_session: Inside, bench: BenchOf) -> StateAnswer:
    """The draft as it is now."""
    return _answer(bench, bench.state())


@router.post("/form/edit")
def edit(_session: Inside, bench: BenchOf, asked: EditAsked) -> StateAnswer:
    """Carry out an edit."""
    return _answer(bench, bench.edit(asked.edit, asked.seen))


@router.post("/form/undo")
def undo(_session: Inside, bench: BenchOf, asked: Seen) -> StateAnswer:
    """Take the last edit back."""
    return _answer(bench, bench.undo(asked.seen))


@router.post("/form/redo")
def redo(_session: Inside, bench: BenchOf, asked: Seen) -> StateAnswer:
    """Make the edit again that was taken back last."""
    return _answer(bench, bench.redo(asked.seen))


@router.post("/form/anew")
def begin_anew(_session: Inside, bench: BenchOf, asked: Seen) -> StateAnswer:
    """Back to the saved form."""
    return _answer(bench, bench.begin_anew(asked.seen))


@router.post("/form/find")
def find_like(_session: Inside, bench: BenchOf, asked: FindAsked) -> StateAnswer:
    """Add all places that look like an example."""
    return _answer(bench, bench.find_like(asked.page, asked.place.box(), asked.seen))


@router.post("/form/questions")
def make_questions(_session: Inside, bench: BenchOf, asked: Seen) -> StateAnswer:
    """Make questions of all loose targets."""
    return _answer(bench, bench.make_questions(asked.seen))


@router.post("/form/read")
def read_words(_session: Inside, bench: BenchOf, asked: ReadAsked) -> StateAnswer:
    """Fill in labels and titles as they are printed."""
    return _answer(bench, bench.read_words(asked.keys, asked.seen, again=asked.again))


@router.get("/form/proposals")
def get_proposals(_session: Inside, bench: BenchOf) -> ProposalsAnswer:
    """The labels and titles that are printed, as far as they were read."""
    bench.look_ahead()
    proposals = bench.known_proposals()
    if proposals is None:
        return ProposalsAnswer(is_ready=False, labels=[], titles=[])
    return _proposals(bench.state().draft, proposals)


@router.get("/form/check")
def check(_session: Inside, bench: BenchOf) -> HealthAnswer:
    """What is found about the draft."""
    bench.look_ahead()
    return _health(bench.check())


@router.post("/form/save")
def save(_session: Inside, bench: BenchOf, asked: VersionAsked) -> StateAnswer:
    """Save the draft as a new version of the form."""
    return _answer(bench, bench.save(asked.version, asked.seen))


@router.post("/form/former")
def take_former(_session: Inside, bench: BenchOf, asked: VersionAsked) -> StateAnswer:
    """Go on from a former version."""
    return _answer(bench, bench.take_former(asked.version, asked.seen))


def _answer(bench: Bench, state: State) -> StateAnswer:
    return StateAnswer(
        number=state.number,
        draft=state.draft,
        can_undo=state.can_undo,
        can_redo=state.can_redo,
        is_saved=state.is_saved,
        selected=state.selected,
        next_version=bench.next_version(),
        former=bench.former(),
    )


def _health(health: Health) -> HealthAnswer:
    return HealthAnswer(
        number=health.number,
        score=health.score,
        is_complete=health.is_complete,
        findings=[
            FindingAnswer(
                is_fault=finding.severity is Severity.FAULT,
                message=finding.message,
                remedy=finding.remedy,
                page=finding.page,
                weight=finding.weight,
                keys=keys,
            )
            for finding, keys in health.findings
        ],
    )


def _proposals(draft: Draft, proposals: Proposals) -> ProposalsAnswer:
    titles = [
        ProposalAnswer(key=question.key, text=printed.title.text, sure=printed.title.sure)
        for question in draft.questions
        if (printed := proposals.question_for(question)) is not None
    ]
    labels = [
        ProposalAnswer(key=key, text=label.text, sure=label.sure)
        for key, label in proposals.labels.items()
    ]
    return ProposalsAnswer(is_ready=True, labels=labels, titles=titles)
