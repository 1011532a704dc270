"""What the blank of a form says to somebody who corrects it: like boxes, labels, questions.

Reading a page takes seconds, so what was read is kept; it is read anew where boxes have come that
were taken for letters before.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from scanner.forms.picture import load_blank
from scanner.forms.template import TEXT_SHAPES, Form, Page
from scanner.geometry import MM_PER_INCH, Box
from scanner.registering.by_example import find_like_in
from scanner.registering.editing import Draft, Question, Target
from scanner.registering.edits import change_question, change_targets, group
from scanner.registering.found import BlankSide, Example, FoundTarget, PrintedWord, Shape, Source
from scanner.registering.grouping import FoundContest, group_pages
from scanner.registering.labels import label_pages
from scanner.registering.level_page import LevelPage, clean_text, put_together
from scanner.registering.outlines import overlap
from scanner.registering.rulings import Level, Rulings, find_level, find_rulings, turn_level
from scanner.registering.view import SideView, look_at
from scanner.registering.words import read_side

_SAME_PLACE = 0.3
_KNOWN_SHARE = 0.3
_OWN_SHARE = 0.5
_SHAPES: dict[str, Shape] = {"box": "box", "oval": "oval", "circle": "circle", "cell": "cell"}
"""How targets are called where labels are sought; an arrow has its label where a box has it."""


class ClosedError(Exception):
    """Nobody wants to know any more."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A text that seems to be printed for a target or a question."""

    text: str
    sure: float
    """0..1."""


@dataclass(frozen=True, slots=True)
class ProposedQuestion:
    """Targets that seem to make one question."""

    targets: tuple[int, ...]
    title: Proposal
    max: int


@dataclass(frozen=True, slots=True)
class Proposals:
    """All that the blank says about the targets of a draft."""

    labels: Mapping[int, Proposal]
    """By the keys of targets."""
    questions: tuple[ProposedQuestion, ...]

    def question_for(self, question: Question) -> ProposedQuestion | None:
        """The proposed question that has most of a question's targets; None if not half of them."""
        own = set(question.targets)
        best = max(self.questions, key=lambda one: len(own & set(one.targets)), default=None)
        if best is None or len(own & set(best.targets)) < _OWN_SHARE * len(own):
            return None
        return best


class BlankReader:
    """The blank pages of a form; safe to be asked by several threads."""

    def __init__(self, form: Form) -> None:
        self._pages = [_ReadPage(form, page) for page in form.pages]
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def close(self) -> None:
        """Whatever is being read ends with the page that it has come to."""
        self._closed.set()

    def find_like(self, page: int, box: Box) -> list[FoundTarget]:
        """Every place that looks like the one drawn, its own among them.

        Raises:
            FormError: Nothing is printed there.
        """
        with self._lock:
            views = {read.side.number: read.view for read in self._pages}
            return find_like_in(views, [Example(page, box)])

    def propose(self, draft: Draft) -> Proposals:
        """The labels and questions that are printed for the targets of a draft.

        Raises:
            ClosedError: The reader was closed meanwhile.
        """
        with self._lock:
            return self._propose(draft)

    def _propose(self, draft: Draft) -> Proposals:
        labels: dict[int, Proposal] = {}
        keys: dict[int, list[int]] = {}
        pages: list[LevelPage] = []
        for read in self._pages:
            if self._closed.is_set():
                raise ClosedError
            number = read.side.number
            here = [target for target in draft.targets if target.option.page == number]
            own = [target for target in here if target.option.shape not in TEXT_SHAPES]
            read.learn([_found(target) for target in own])
            labels |= {t.key: read.text_within(t.option.box) for t in here if t not in own}
            keys[number] = [target.key for target in own]
            pages.append(read.level_page([_found(target) for target in own]))
        contests = group_pages(label_pages(pages))
        for contest in contests:
            for option in contest.options:
                labels[keys[contest.page][option.target]] = Proposal(option.label, option.sure)
        return Proposals(labels, tuple(_questions(contests, keys)))


class _ReadPage:
    """One page of a blank, with what was found out about it."""

    def __init__(self, form: Form, page: Page) -> None:
        gray = load_blank(form, page)
        self.side = BlankSide(page.number, gray, gray.shape[1] / page.width_mm * MM_PER_INCH)
        self._known: list[Box] = []
        self._words: tuple[PrintedWord, ...] | None = None

    @cached_property
    def view(self) -> SideView:
        return look_at(self.side)

    @cached_property
    def _level(self) -> Level:
        return find_level(self.side)

    @cached_property
    def _rulings(self) -> Rulings:
        return find_rulings(turn_level(self.side.gray, self._level), self.side.dpi)

    def learn(self, targets: Sequence[FoundTarget]) -> None:
        """Read the words, unless they were read with all of these targets painted over."""
        boxes = [target.box for target in targets]
        is_known = all(any(overlap(box, k) > _KNOWN_SHARE for k in self._known) for box in boxes)
        if self._words is None or not is_known:
            self._words, self._known = read_side(self.side, targets), boxes

    def level_page(self, targets: Sequence[FoundTarget]) -> LevelPage:
        turned = [_turned(target, self._level) for target in targets]
        words = [
            PrintedWord(word.text, self._level.turn(word.box), word.sure, word.line, word.is_bold)
            for word in self._words or ()
        ]
        pieces = put_together(words, [target.box for target in turned], self._rulings)
        side = self.side
        return LevelPage(
            side.number,
            side.width_mm,
            side.height_mm,
            tuple(turned),
            tuple(pieces),
            self._rulings,
        )

    def text_within(self, box: Box) -> Proposal:
        """The words that are printed inside a box."""
        inside = [word for word in self._words or () if _holds(box, word.box.center)]
        sure = min((word.sure for word in inside), default=1.0)
        return Proposal(clean_text(word.text for word in inside), sure)


def fill_in(draft: Draft, proposals: Proposals, keys: Collection[int], *, again: bool) -> Draft:
    """Labels of targets and titles of their questions, as they are printed.

    Args:
        draft: What is to be filled in.
        proposals: What is printed.
        keys: Targets.
        again: Also where there is a text already.
    """
    for target in draft.targets:
        label = proposals.labels.get(target.key)
        if target.key in keys and label and label.text and (again or not target.option.label):
            draft = change_targets(draft, [target.key], {"label": label.text})
    for question in draft.questions:
        if set(question.targets) & set(keys) and (again or not question.title):
            draft = _with_title(draft, question, proposals)
    return draft


def _with_title(draft: Draft, question: Question, proposals: Proposals) -> Draft:
    printed = proposals.question_for(question)
    if printed is None or not printed.title.text:
        return draft
    fields: dict[str, object] = {"title": printed.title.text}
    if question.max == 1:
        fields["max"] = min(printed.max, len(question.targets))
    return change_question(draft, question.key, fields)


def make_questions(draft: Draft, proposals: Proposals) -> Draft:
    """Questions of all loose targets, as the lay-out of the pages shows them."""
    loose = {target.key for target in draft.loose()}
    for proposed in proposals.questions:
        own = [key for key in proposed.targets if key in loose]
        if own:
            draft = fill_in(group(draft, own), proposals, own, again=False)
    return draft


def without_known(draft: Draft, found: Sequence[FoundTarget]) -> list[FoundTarget]:
    """Of places that were found those where no target of the draft lies."""
    return [
        target
        for target in found
        if not any(
            known.option.page == target.page and overlap(known.option.box, target.box) > _SAME_PLACE
            for known in draft.targets
        )
    ]


def _questions(
    contests: Sequence[FoundContest], keys: Mapping[int, Sequence[int]]
) -> Iterator[ProposedQuestion]:
    for contest in contests:
        own = keys[contest.page]
        yield ProposedQuestion(
            tuple(own[option.target] for option in contest.options),
            Proposal(contest.title, contest.sure),
            contest.max,
        )


def _found(target: Target) -> FoundTarget:
    option = target.option
    return FoundTarget(option.page, option.box, _SHAPES.get(option.shape, "box"), Source.EXAMPLE)


def _turned(target: FoundTarget, level: Level) -> FoundTarget:
    return FoundTarget(target.page, level.turn(target.box), target.shape, target.source)


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box.x <= point[0] <= box.right and box.y <= point[1] <= box.bottom
