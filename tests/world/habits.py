"""Voters: which deeds one person does on one sheet, and what a careful reader makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator

from scanner.forms.template import TEXT_SHAPES, Contest, Form, Option
from scanner.geometry import Box
from tests.world.canvas import Canvas, Points, chance
from tests.world.pens import ORDINARY_PENS, PENS, Hand, take_pen
from tests.world.people import DEEDS, RINGS, STRIKES, Place, draw_deed, write_remark

TIDY_HABITS = ("cross", "loop cross", "tick", "hatch", "scribble", "solid")
HARD_HABITS = (
    *TIDY_HABITS,
    *("cross", "tick", "slash", "dot", "dash", "beside", "ring", "label ring", "label underlined"),
)
LARGE = {"cross": "large cross", "loop cross": "large cross", "tick": "large tick"}
"""What those do in the cells of a table who fill them."""
ON_LABELS = ("label ring", "label underlined", "label struck")
SLIPS = ("hesitation", "erased", "blackened", "label struck", "two marks", "remark")
"""What goes wrong, or is added, at one place of a sheet."""

_LARGE_SHARE = 0.2
_LETTER_MM = 1.95
_BESIDE_BOX_MM = 1.6
_LABEL_MM = 48.0
_OWN_SHARE = 0.30
_OTHERS_SHARE = 0.30


@dataclass(frozen=True, slots=True)
class TargetTruth:
    """What was meant at one target."""

    contest: str
    option: str
    deed: str
    """What was done there; empty for nothing."""
    marked: bool
    clear: bool
    """Whether a careful person who sees the scan could be sure."""


@dataclass(frozen=True, slots=True)
class Voter:
    """One person with a pen and a habit."""

    habit: str
    untidiness: float
    hand: Hand
    slips: tuple[str, ...] = ()
    large: float = 0.0
    """How much an untidy hand lets marks grow that fill cells of a table: a third up to the cell,
    1 up to half as much again; 0 where they are as large as in a box."""


@dataclass
class Filling:
    """What lies on a sheet when it is put into the box."""

    truths: dict[tuple[str, str], TargetTruth] = field(default_factory=dict)
    strokes: dict[tuple[str, str], list[Points]] = field(default_factory=dict)


def meet_voter(seed: int, *, hard: bool) -> Voter:
    """The voter of one sheet."""
    rng = chance(seed, "voter")
    large = (1.0 if hard else 1 / 3) * (chance(seed, "large marks").random() < _LARGE_SHARE)
    if not hard:
        habit = str(rng.choice(TIDY_HABITS, p=(0.38, 0.12, 0.30, 0.06, 0.07, 0.07)))
        pen = str(rng.choice(ORDINARY_PENS, p=(0.6, 0.3, 0.1)))
        hand = take_pen(pen, rng, strength=0.5 * float(rng.beta(1.5, 4)))
        return Voter(habit, float(rng.beta(1.5, 3)), hand, large=large)
    habit = str(rng.choice(HARD_HABITS))
    names = list(PENS)
    pen = str(rng.choice(names, p=_even(names, seldom=("highlighter",))))
    slips = tuple(slip for slip in SLIPS if rng.random() < 0.09)
    untidiness = float(rng.beta(1.3, 1.7))
    return Voter(habit, untidiness, take_pen(pen, rng), slips, large)


def _even(names: Sequence[str], seldom: Sequence[str]) -> list[float]:
    weights = np.array([0.3 if name in seldom else 1.0 for name in names])
    return list((weights / weights.sum()).tolist())


def fill_in(canvas: Canvas, form: Form, page: int, voter: Voter, seed: int) -> Filling:
    """Fill in one page of a form; the canvas is changed."""
    filling = Filling()
    for contest in form.contests:
        here = [option for option in contest.options if option.page == page]
        if here:
            _answer(canvas, contest, here, (voter, filling), chance(seed, "answer", contest.id))
    targets = form.targets_on(page)
    rng = chance(seed, "slips")
    for slip in voter.slips:
        _SLIPS[slip](canvas, targets, (voter, filling), rng)
    _see_overlaps(targets, filling)
    return filling


def _answer(
    canvas: Canvas,
    contest: Contest,
    options: Sequence[Option],
    who: tuple[Voter, Filling],
    rng: Generator,
) -> None:
    for option in options:
        who[1].truths[contest.id, option.id] = TargetTruth(
            contest.id, option.id, "", marked=False, clear=True
        )
    if contest.is_struck:
        most = min(contest.max, len(options))
        counts = most, int(rng.integers(most + 1)), len(options)
        count = counts[int(rng.choice(3, p=(0.85, 0.10, 0.05)))]
        left = rng.choice(len(options), count, replace=False)
        chosen = [number for number in range(len(options)) if number not in left]
    elif contest.max == 1:
        chosen = [] if rng.random() < 0.06 else [int(rng.integers(len(options)))]
    else:
        chosen = np.flatnonzero(rng.random(len(options)) < 0.3)[: contest.max].tolist()
    for number in chosen:
        _do(canvas, contest, options[number], who, (who[0].habit, rng))


def _do(
    canvas: Canvas,
    contest: Contest,
    option: Option,
    who: tuple[Voter, Filling],
    what: tuple[str, Generator],
) -> None:
    """One deed at one target, and what it means."""
    voter, filling = who
    name, rng = what
    place = place_of(contest, option)
    if place.label is None and name in ON_LABELS:
        name = "ring"
    if option.shape in TEXT_SHAPES:
        name = _on_words(option, voter, name)
    strength = float(np.clip(voter.untidiness + rng.normal(0, 0.12), 0, 1))
    if voter.large and option.shape == "cell" and name in LARGE:
        name, strength = LARGE[name], strength * voter.large
    deed = DEEDS[name]
    hand = replace(voter.hand, pressure=voter.hand.pressure * float(rng.normal(1, 0.06)))
    strokes = draw_deed(canvas, place, name, strength, (hand, rng))
    key = contest.id, option.id
    before = filling.truths[key]
    clear = strength <= deed.clear_to and (not before.deed or before.clear)
    filling.truths[key] = TargetTruth(*key, name, marked=deed.marked, clear=clear)
    filling.strokes.setdefault(key, []).extend(strokes)


def _on_words(option: Option, voter: Voter, name: str) -> str:
    """What a voter does on printed words who on a box does what is named."""
    ways = STRIKES if option.shape == "strike" else RINGS
    if name in (*HARD_HABITS, voter.habit):
        own = (len(voter.habit) + round(1e4 * voter.untidiness)) % (2 * len(ways))
        # Half of all people do it in the first way.
        return ways[max(own - len(ways), 0)]
    if name in ("blackened", "label struck"):
        return "name half"
    return name


def place_of(contest: Contest, option: Option) -> Place:
    """A target with its label, which ends before the next box of the row."""
    box = option.box
    if option.shape in TEXT_SHAPES:
        return Place(box, box)
    if option.shape == "cell" or not option.label:
        return Place(box, None)
    left = box.right + _BESIDE_BOX_MM
    next_ = [
        other.x
        for other in contest.options
        if other.page == option.page and other.x > left and abs(other.y - box.y) < box.h
    ]
    most = min([*next_, left + _LABEL_MM]) - left - 3
    return Place(box, Box(left, box.y, min(len(option.label) * _LETTER_MM, most), box.h))


Targets = Sequence[tuple[Contest, Option]]


def _at_empty(
    canvas: Canvas, targets: Targets, who: tuple[Voter, Filling], name: str, rng: Generator
) -> None:
    """Do something at a target where nothing was done."""
    truths = who[1].truths
    empty = [pair for pair in targets if not truths[pair[0].id, pair[1].id].deed]
    if empty:
        contest, option = empty[int(rng.integers(len(empty)))]
        _do(canvas, contest, option, who, (name, rng))


def _hesitate(canvas: Canvas, targets: Targets, who: tuple[Voter, Filling], rng: Generator) -> None:
    _at_empty(canvas, targets, who, "hesitation", rng)


def _rub_out(canvas: Canvas, targets: Targets, who: tuple[Voter, Filling], rng: Generator) -> None:
    pencil = take_pen(str(rng.choice(["soft pencil", "hard pencil"])), rng)
    _at_empty(canvas, targets, (replace(who[0], hand=pencil), who[1]), "erased", rng)


def _blacken(canvas: Canvas, targets: Targets, who: tuple[Voter, Filling], rng: Generator) -> None:
    _at_empty(canvas, targets, who, "blackened", rng)


def _strike(canvas: Canvas, targets: Targets, who: tuple[Voter, Filling], rng: Generator) -> None:
    boxes = [pair for pair in targets if place_of(*pair).label is not None]
    _at_empty(canvas, boxes, who, "label struck", rng)


def _mark_two(canvas: Canvas, targets: Targets, who: tuple[Voter, Filling], rng: Generator) -> None:
    """A second answer where one is allowed: each is clear, and the question is spoilt."""
    _at_empty(canvas, targets, who, who[0].habit, rng)


def _remark(canvas: Canvas, targets: Targets, who: tuple[Voter, Filling], rng: Generator) -> None:
    """Words written across the boxes of a row."""
    voter, filling = who
    if not targets:
        return
    row = targets[int(rng.integers(len(targets)))][1].box
    x = max(row.x - rng.uniform(0, 60), 12)
    line = Box(x, row.y, rng.uniform(50, 110), row.h * rng.uniform(0.7, 1.3))
    size = float(rng.random())
    around = write_remark(canvas, line, size, voter.hand, rng)
    for contest, option in targets:
        truth = filling.truths[contest.id, option.id]
        if around.overlaps(option.box):
            filling.truths[contest.id, option.id] = replace(
                truth, deed=truth.deed or "remark", clear=False
            )


_SLIPS = {
    "hesitation": _hesitate,
    "erased": _rub_out,
    "blackened": _blacken,
    "label struck": _strike,
    "two marks": _mark_two,
    "remark": _remark,
}


def write_below(canvas: Canvas, targets: Targets, voter: Voter, seed: int) -> None:
    """An answer in words below the last target, where the form has room for it."""
    rng = chance(seed, "below")
    width, height = canvas.size_mm
    foot = max((option.box.bottom for _, option in targets), default=height / 2) + 12
    for number in range(int(rng.integers(1, 4))):
        y = foot + 8 * number
        if y + 8 < height - 12:
            line = Box(rng.uniform(22, 70), y, rng.uniform(50, width - 95), 6)
            write_remark(canvas, line, float(rng.random()) * 0.6, voter.hand, rng)


def _see_overlaps(targets: Targets, filling: Filling) -> None:
    """A mark that lies as much in another's box as in its own is not clear, nor is the other."""
    boxes = {(contest.id, option.id): option.box for contest, option in targets}
    for key, strokes in filling.strokes.items():
        truth = filling.truths[key]
        if not strokes:
            continue
        points = np.vstack(strokes)
        near = _reached(points, boxes)
        if DEEDS[truth.deed].clear_to < 0:
            # Where somebody circles or strikes out, the boxes that it runs into are in question.
            for other in near:
                if _share(points, boxes[other]) > 0:
                    filling.truths[other] = replace(filling.truths[other], clear=False)
            continue
        own = _share(points, boxes[key].grown(0.15 * boxes[key].h))
        if own < _OWN_SHARE and truth.deed not in RINGS:
            filling.truths[key] = replace(truth, clear=False)
        for other in near:
            share = _share(points, boxes[other]) if other != key else 0.0
            if share > _OTHERS_SHARE:
                filling.truths[other] = replace(filling.truths[other], clear=False)
                filling.truths[key] = replace(filling.truths[key], clear=False)


def _reached(points: Points, boxes: dict[tuple[str, str], Box]) -> list[tuple[str, str]]:
    """The boxes that the rectangle around some strokes reaches."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return [
        key
        for key, box in boxes.items()
        if box.x < right and left < box.right and box.y < bottom and top < box.bottom
    ]


def _share(points: Points, box: Box) -> float:
    x, y = points.T
    inside = (x > box.x) & (x < box.right) & (y > box.y) & (y < box.bottom)
    return float(inside.mean())
