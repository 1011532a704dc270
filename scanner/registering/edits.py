"""The edits of a form's draft, each a function from one draft to another.

Keys name targets and zones alike; positions are millimetres from the page's top left. A thing
that is moved or drawn beyond the edge of its page stops at the edge.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from statistics import median
from typing import Any

from scanner.errors import FormError
from scanner.forms.template import Comment, Contest, Option, Page, Zone
from scanner.geometry import Box
from scanner.messages import gettext as _
from scanner.registering.editing import (
    Area,
    Draft,
    Keyed,
    Part,
    Question,
    Target,
    ZoneKind,
    changed,
    check_draft,
    free_id,
    place_of,
)
from scanner.registering.image_targets import reading_order

SMALLEST_MM = 1.0
"""A target or a zone is never made smaller."""
COPY_GAP_MM = 2.0
_LEVEL_SHARE = 0.6
"""Of its height so much a box may lie higher or lower than its neighbour in a row."""


def move(draft: Draft, keys: Collection[int], dx: float, dy: float) -> Draft:
    """Shift targets and zones together, no further than to the edge of the page."""
    places = [(draft.page(part.page), place_of(part)) for part in _parts(draft, keys)]
    for page, box in places:
        dx = min(max(dx, min(-box.x, 0.0)), max(page.width_mm - box.right, 0.0))
        dy = min(max(dy, min(-box.y, 0.0)), max(page.height_mm - box.bottom, 0.0))
    return _placed(draft, keys, lambda box: replace(box, x=box.x + dx, y=box.y + dy))


def place(draft: Draft, key: int, box: Box) -> Draft:
    """Put one target or zone elsewhere, in another size."""
    page = draft.page(_parts(draft, [key])[0].page)
    return _placed(draft, [key], lambda _former: _within(page, box))


def resize(draft: Draft, keys: Collection[int], dw: float, dh: float) -> Draft:
    """Make targets and zones wider and higher, to the right and down."""
    first = _parts(draft, keys)[0].page
    return _placed(
        draft,
        keys,
        lambda box: _within(draft.page(first), replace(box, w=box.w + dw, h=box.h + dh)),
    )


def add_targets(draft: Draft, page: int, places: Iterable[tuple[Box, str]]) -> Draft:
    """Loose targets of a page, each a place and a shape."""
    sheet = draft.page(page)
    new = [
        Target(key, _option(page, _within(sheet, box), shape))
        for key, (box, shape) in enumerate(places, start=draft.next_key)
    ]
    return check_draft(
        replace(draft, targets=(*draft.targets, *new), next_key=draft.next_key + len(new))
    )


def add_zone(draft: Draft, kind: ZoneKind, page: int, box: Box) -> Draft:
    """A private zone, or one for comments."""
    box = _within(draft.page(page), box)
    where = {"page": page, "x": box.x, "y": box.y, "w": box.w, "h": box.h}
    zone: Zone | Comment
    if kind == "comments":
        taken = [area.zone.id for area in draft.areas if isinstance(area.zone, Comment)]
        zone = Comment.model_validate({"id": free_id(taken, "c"), **where})
    else:
        zone = Zone.model_validate(where)
    area = Area(draft.next_key, zone)
    return check_draft(replace(draft, areas=(*draft.areas, area), next_key=draft.next_key + 1))


def change_zone(draft: Draft, key: int, fields: Mapping[str, Any]) -> Draft:
    """Another title of a comment zone, or whether it is private."""
    area = draft.area(key)
    if not isinstance(area.zone, Comment):
        raise FormError(_("A private zone has no title: nothing written there is ever read."))
    new = replace(area, zone=changed(area.zone, **fields))
    return check_draft(replace(draft, areas=_replaced(draft.areas, {key: new})))


def delete(draft: Draft, keys: Collection[int]) -> Draft:
    """Without some targets and zones; a question goes with the last of its targets."""
    _parts(draft, keys)
    kept = replace(
        draft,
        targets=tuple(target for target in draft.targets if target.key not in keys),
        areas=tuple(area for area in draft.areas if area.key not in keys),
    )
    return check_draft(_without(kept, keys))


def duplicate(draft: Draft, keys: Collection[int]) -> Draft:
    """Copies below what they are copies of, or above where there is no room.

    The copy of a whole question is a question; that of a part of one belongs to the same.
    """
    parts = _parts(draft, keys)
    top, bottom = min(part.y for part in parts), max(part.y + part.h for part in parts)
    step = bottom - top + COPY_GAP_MM
    if any(part.y + part.h + step > draft.page(part.page).height_mm for part in parts):
        step = -step
    numbers = count(draft.next_key)
    copies = {target.key: next(numbers) for target in draft.targets if target.key in keys}
    targets = [
        Target(copies[target.key], _moved(target.option, _lower(target.option.box, step)))
        for target in draft.targets
        if target.key in copies
    ]
    areas = [_copy_of(area, next(numbers), step) for area in draft.areas if area.key in keys]
    made = replace(
        draft,
        targets=(*draft.targets, *targets),
        areas=(*draft.areas, *areas),
        next_key=next(numbers),
    )
    for question in draft.questions:
        own = [copies[key] for key in question.targets if key in copies]
        if own and len(own) == len(question.targets):
            made = group(made, own)
        elif own:
            made = join(made, own, question.key)
    return check_draft(made)


def group(draft: Draft, keys: Collection[int]) -> Draft:
    """One question of some targets, in printed order.

    It goes on with title and rule of a question of which it takes all targets; what is left of
    others stays with them.

    Raises:
        FormError: There is no target among the keys.
    """
    chosen = _in_printed_order(draft, [t.key for t in draft.targets if t.key in keys])
    if not chosen:
        raise FormError(_("No box is selected of which a question could be made."))
    heir = next((q for q in draft.questions if set(q.targets) <= set(chosen)), None)
    rest = _without(draft, chosen)
    taken = [question.id for question in rest.questions]
    if heir is None:
        question = Question(rest.next_key, free_id(taken, "q"))
        rest = replace(rest, next_key=rest.next_key + 1)
    else:
        question = replace(heir, targets=())
    kept = [key for key in chosen if heir is not None and key in heir.targets]
    made = _filled(rest, question, kept, [key for key in chosen if key not in kept])
    ordered = replace(made[1], targets=tuple(chosen))
    return check_draft(_inserted(made[0], ordered))


def join(draft: Draft, keys: Collection[int], question_key: int) -> Draft:
    """Targets come to a question, which is then in printed order."""
    question = draft.question(question_key)
    coming = [t.key for t in draft.targets if t.key in keys and t.key not in question.targets]
    rest = _without(draft, coming)
    filled, question = _filled(rest, rest.question(question_key), question.targets, coming)
    question = replace(question, targets=tuple(_in_printed_order(filled, question.targets)))
    return check_draft(
        replace(filled, questions=_replaced(filled.questions, {question_key: question}))
    )


def release(draft: Draft, keys: Collection[int]) -> Draft:
    """Targets that belong to no question any more."""
    return check_draft(_without(draft, keys))


def order_options(draft: Draft, question_key: int, keys: Sequence[int]) -> Draft:
    """Another order of the options of a question; without keys that in which they are printed."""
    question = draft.question(question_key)
    ordered = list(keys) or _in_printed_order(draft, question.targets)
    if sorted(ordered) != sorted(question.targets):
        raise FormError(_("An order names each option of the question once."))
    new = replace(question, targets=tuple(ordered))
    return check_draft(replace(draft, questions=_replaced(draft.questions, {question_key: new})))


def shift_question(draft: Draft, question_key: int, by: int) -> Draft:
    """A question so many places further down the list; negative for up."""
    question = draft.question(question_key)
    rest = [other for other in draft.questions if other.key != question_key]
    place = min(max(draft.questions.index(question) + by, 0), len(rest))
    return replace(draft, questions=(*rest[:place], question, *rest[place:]))


def change_question(draft: Draft, question_key: int, fields: Mapping[str, Any]) -> Draft:
    """Another id, title, number that may be chosen, or whether it is a breakdown."""
    question = draft.question(question_key)
    options = tuple(draft.target(key).option for key in question.targets)
    now = Contest(
        id=question.id,
        title=question.title,
        max=question.max,
        breakdown=question.breakdown,
        options=options,
    )
    then = changed(now, **fields)
    new = replace(question, id=then.id, title=then.title, max=then.max, breakdown=then.breakdown)
    return check_draft(replace(draft, questions=_replaced(draft.questions, {question_key: new})))


def change_targets(draft: Draft, keys: Collection[int], fields: Mapping[str, Any]) -> Draft:
    """Another id, label or shape of some targets.

    Names are struck out in all of a question or in none of it, so that shape goes through the
    whole question.
    """
    wanted = set(keys)
    shape = fields.get("shape")
    for question in draft.questions if shape is not None else ():
        own = [draft.target(key).option for key in question.targets]
        if wanted & set(question.targets) and "strike" in {shape, *(o.shape for o in own)}:
            wanted |= set(question.targets)
    new = {
        target.key: replace(target, option=changed(target.option, **fields))
        for target in draft.targets
        if target.key in wanted
    }
    return check_draft(replace(draft, targets=_replaced(draft.targets, new)))


def change_form(draft: Draft, fields: Mapping[str, Any]) -> Draft:
    """Another title, version or language of the form, another rule, or another secrecy."""
    rule = {name: fields[name] for name in ("cancel", "review") if name in fields}
    secrecy = {name: fields[name] for name in ("shuffled", "smallest_group") if name in fields}
    rest = {name: value for name, value in fields.items() if name not in {*rule, *secrecy}}
    header = changed(
        draft.header,
        rule=changed(draft.header.rule, **rule),
        secrecy=changed(draft.header.secrecy, **secrecy),
        **rest,
    )
    return check_draft(replace(draft, header=header))


def new_keys(before: Draft, after: Draft) -> list[int]:
    """The targets and zones that an edit has made."""
    keys = [target.key for target in after.targets] + [area.key for area in after.areas]
    return [key for key in keys if key >= before.next_key]


def _parts(draft: Draft, keys: Collection[int]) -> list[Option | Zone | Comment]:
    """What the keys name, at least one thing.

    Raises:
        FormError: One of them is not there, or none is given.
    """
    targets = {target.key: target.option for target in draft.targets}
    if not keys:
        raise FormError(_("Nothing is selected."))
    return [targets[key] if key in targets else draft.area(key).zone for key in keys]


def _placed(draft: Draft, keys: Collection[int], where: Callable[[Box], Box]) -> Draft:
    """Each of some targets and zones where a function puts it."""
    _parts(draft, keys)
    targets = {
        target.key: replace(target, option=_moved(target.option, where(target.option.box)))
        for target in draft.targets
        if target.key in keys
    }
    areas = {
        area.key: replace(area, zone=_moved(area.zone, where(place_of(area.zone))))
        for area in draft.areas
        if area.key in keys
    }
    return check_draft(
        replace(
            draft,
            targets=_replaced(draft.targets, targets),
            areas=_replaced(draft.areas, areas),
        )
    )


def _moved(part: Part, box: Box) -> Part:
    """A target or a zone with its place in whole thousandths of a millimetre."""
    return changed(part, x=_fine(box.x), y=_fine(box.y), w=_fine(box.w), h=_fine(box.h))


def _fine(length_mm: float) -> float:
    return max(round(length_mm, 3), 0.0)


def _within(page: Page, box: Box) -> Box:
    """The part of a box that lies on the page, at least of the smallest size."""
    left = min(max(box.x, 0.0), page.width_mm - SMALLEST_MM)
    top = min(max(box.y, 0.0), page.height_mm - SMALLEST_MM)
    width = min(max(box.right - left, SMALLEST_MM), page.width_mm - left)
    height = min(max(box.bottom - top, SMALLEST_MM), page.height_mm - top)
    return Box(_fine(left), _fine(top), _fine(width), _fine(height))


def _option(page: int, box: Box, shape: str) -> Option:
    fields = {"id": "o1", "page": page, "shape": shape}
    return Option.model_validate({**fields, "x": box.x, "y": box.y, "w": box.w, "h": box.h})


def _lower(box: Box, step: float) -> Box:
    return replace(box, y=max(box.y + step, 0.0))


def _copy_of(area: Area, key: int, step: float) -> Area:
    zone = _moved(area.zone, _lower(place_of(area.zone), step))
    if isinstance(zone, Comment):
        # The new key tells apart several that are copied at once.
        zone = changed(zone, id=f"c{key}", title="")
    return Area(key, zone)


def _without(draft: Draft, keys: Collection[int]) -> Draft:
    """The same targets, but no question names these; one that names none is gone."""
    left = (
        replace(question, targets=tuple(key for key in question.targets if key not in keys))
        for question in draft.questions
    )
    return replace(draft, questions=tuple(question for question in left if question.targets))


def _filled(
    draft: Draft, question: Question, first: Sequence[int], coming: Sequence[int]
) -> tuple[Draft, Question]:
    """A question with more targets; those that come get ids that are free in it."""
    taken = [draft.target(key).option.id for key in first]
    renamed: dict[int, Target] = {}
    for key in coming:
        target = draft.target(key)
        name = free_id(taken, "o")
        taken.append(name)
        renamed[key] = replace(target, option=changed(target.option, id=name))
    filled = replace(draft, targets=_replaced(draft.targets, renamed))
    return filled, replace(question, targets=(*first, *coming))


def _inserted(draft: Draft, question: Question) -> Draft:
    """A question before the first of those that are printed after it."""
    here = _start_of(draft, question)
    later = [n for n, other in enumerate(draft.questions) if _start_of(draft, other) > here]
    at = min(later, default=len(draft.questions))
    return replace(draft, questions=(*draft.questions[:at], question, *draft.questions[at:]))


def _start_of(draft: Draft, question: Question) -> tuple[int, float, float]:
    first = draft.target(question.targets[0]).option
    return first.page, first.y, first.x


def _in_printed_order(draft: Draft, keys: Iterable[int]) -> list[int]:
    """Page by page, from the top left to the bottom right, as if no page lay askew."""
    wanted = set(keys)
    ordered: list[int] = []
    for page in sorted(page.number for page in draft.header.pages):
        here = [target for target in draft.targets if target.option.page == page]
        slope = _slope([target.option.box for target in here])
        own = [target for target in here if target.key in wanted]
        level = [_level(target.option.box, slope) for target in own]
        ordered += [own[place].key for place in reading_order(level)]
    return ordered


def _slope(boxes: Sequence[Box]) -> float:
    """By how much rows of boxes fall for each millimetre to the right."""
    steps = []
    for box in boxes:
        x, y = box.center
        right = [
            (other.center[0] - x, other.center[1] - y)
            for other in boxes
            if other.x > box.right and abs(other.center[1] - y) < _LEVEL_SHARE * box.h
        ]
        steps += [down / across for across, down in sorted(right)[:1]]
    return median(steps) if steps else 0.0


def _level(box: Box, slope: float) -> Box:
    return replace(box, y=box.y - slope * box.center[0])


def _replaced(parts: tuple[Keyed, ...], new: Mapping[int, Keyed]) -> tuple[Keyed, ...]:
    return tuple(new.get(part.key, part) for part in parts)
