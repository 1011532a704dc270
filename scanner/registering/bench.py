"""The bench at which one form is corrected: its history, what is kept of it, what is found.

All windows of the browser that show the form work at the same bench, one after the other. Whoever
sends an edit says which state it was made for, so that none is done to what nobody has seen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self

from scanner.errors import FormError
from scanner.forms.catalog import list_forms
from scanner.forms.findings import Finding, Severity, score
from scanner.forms.template import Page, read_form
from scanner.forms.versions import former_versions, next_version, save_version, stamp_of
from scanner.geometry import Box
from scanner.messages import gettext as _
from scanner.messages import ngettext
from scanner.registering.editing import Draft, History, check_draft, make_draft, make_form
from scanner.registering.edits import add_targets, change_form, new_keys
from scanner.registering.fitness import check_alone, check_beside
from scanner.registering.kept_draft import drop_draft, find_draft, keep_draft
from scanner.registering.proposing import (
    BlankReader,
    ClosedError,
    Proposals,
    fill_in,
    make_questions,
    without_known,
)

Edit = Callable[[Draft], Draft]


class OutOfDateError(FormError):
    """Another window has changed the draft since; nothing was done."""


@dataclass(frozen=True, slots=True)
class State:
    """The draft as all windows show it."""

    number: int
    """Grows with each change of the draft."""
    draft: Draft
    can_undo: bool
    can_redo: bool
    is_saved: bool
    """Whether it is what ``form.yaml`` says."""
    selected: tuple[int, ...] = ()
    """What the last edit has made."""


@dataclass(frozen=True, slots=True)
class Health:
    """What was found about the draft, and the points that are left."""

    number: int
    """The state that was looked at."""
    score: int
    findings: tuple[tuple[Finding, tuple[int, ...]], ...]
    """Each with the keys of the targets that it is about, the gravest first."""
    is_complete: bool
    """Whether the form was compared with the others of its folder."""


class Bench:
    """One form that is being corrected.

    Args:
        folder: The folder of the form.

    Raises:
        FormError: The form is faulty, or a blank is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._stamp = stamp_of(folder)
        self._saved = make_draft(read_form(folder))
        self._history = History(self._saved)
        self._number = 1
        self._beside: list[Finding] | None = None
        self._reader = BlankReader(read_form(folder))
        self._proposals: tuple[int, Proposals] | None = None
        self._ahead: threading.Thread | None = None
        self._is_closed = False
        self.taken_up: datetime | None = None
        """When the draft was left that was taken up again."""
        self.was_changed = False
        """Whether that draft was made from another state of ``form.yaml``."""
        self._take_up()

    def _take_up(self) -> None:
        """Go on with what was not saved: as an edit, so that it can be undone."""
        kept = find_draft(self.folder)
        if kept is None:
            return
        try:
            draft = self._on_these_pages(kept.draft)
        except FormError:
            return
        self._history = self._history.after(draft)
        if self._history.past:
            self.taken_up = kept.kept_at
            self.was_changed = kept.stamp != self._stamp

    @property
    def form_id(self) -> str:
        """Id of the form."""
        return self._saved.header.id

    def state(self) -> State:
        """The draft as it is now."""
        with self._lock:
            return self._state(())

    def edit(self, edit: Edit, seen: int) -> State:
        """Carry out an edit and keep what it makes.

        Args:
            edit: From one draft to the next.
            seen: The number of the state that it was made for.

        Raises:
            OutOfDateError: That is not the state any more.
            FormError: The edit cannot be.
            StorageError: The draft cannot be kept; the edit was not made.
        """
        with self._lock:
            self._must_be_up_to_date(seen)
            before = self._history.present
            after = edit(before)
            self._keep(self._history.after(after))
            return self._state(tuple(new_keys(before, after)))

    def undo(self, seen: int) -> State:
        """Take the last edit back."""
        with self._lock:
            self._must_be_up_to_date(seen)
            self._keep(self._history.undone())
            return self._state(())

    def redo(self, seen: int) -> State:
        """Make the edit again that was taken back last."""
        with self._lock:
            self._must_be_up_to_date(seen)
            self._keep(self._history.redone())
            return self._state(())

    def begin_anew(self, seen: int) -> State:
        """Back to the saved form; that too can be undone."""
        return self.edit(lambda _draft: self._saved, seen)

    def find_like(self, page: int, box: Box, seen: int) -> State:
        """Loose targets wherever it looks like in the box that was drawn.

        Raises:
            FormError: Nothing is printed there, or all that look like it are targets already.
        """
        found = self._reader.find_like(page, box)

        def add(draft: Draft) -> Draft:
            new = without_known(draft, found)
            if not new:
                raise FormError(
                    _("All boxes that look like this one are there already."),
                    remedy=_("To add this box only, switch “find the rest” off."),
                )
            for number in sorted({target.page for target in new}):
                own = [(one.box, one.shape) for one in new if one.page == number]
                draft = add_targets(draft, number, own)
            return draft

        return self.edit(add, seen)

    def propose(self) -> Proposals:
        """What is printed for the targets as they are now; takes seconds the first time."""
        with self._lock:
            number, draft = self._number, self._history.present
            if self._proposals is not None and self._proposals[0] == number:
                return self._proposals[1]
        proposals = self._reader.propose(draft)
        with self._lock:
            self._proposals = (number, proposals)
        return proposals

    def compare(self) -> None:
        """Compare the blank with the other forms of its folder, for all checks from now on.

        It takes seconds, and no edit changes what comes out.
        """
        try:
            beside = check_beside(read_form(self.folder), list_forms(self.folder.parent))
        except FormError:
            # Another form is broken; that is for its own check to say.
            beside = []
        with self._lock:
            self._beside = beside

    def known_proposals(self) -> Proposals | None:
        """What is printed, if that is known already for the targets as they are now."""
        with self._lock:
            known = self._proposals
            return known[1] if known is not None and known[0] == self._number else None

    def look_ahead(self) -> None:
        """Begin in the background what takes seconds: reading the words, comparing the forms."""
        with self._lock:
            is_known = self._beside is not None and self.known_proposals() is not None
            if is_known or (self._ahead is not None and self._ahead.is_alive()):
                return
            # No daemon: an image library that is cut off at the end takes the program with it.
            self._ahead = threading.Thread(target=self._find_out)
            self._ahead.start()

    def _find_out(self) -> None:
        with suppress(ClosedError):
            self.propose()
            if self._beside is None and not self._is_closed:
                self.compare()

    def close(self) -> None:
        """End what was begun in the background; nothing is lost, whatever is not saved is kept."""
        self._is_closed = True
        self._reader.close()
        if self._ahead is not None:
            self._ahead.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def make_questions(self, seen: int) -> State:
        """Questions of all loose targets, with what is printed."""
        return self._with_proposals(make_questions, seen)

    def read_words(self, keys: Sequence[int], seen: int, *, again: bool) -> State:
        """Labels and titles as they are printed."""
        return self._with_proposals(
            lambda draft, proposals: fill_in(draft, proposals, keys, again=again), seen
        )

    def _with_proposals(self, edit: Callable[[Draft, Proposals], Draft], seen: int) -> State:
        with self._lock:
            self._must_be_up_to_date(seen)
        proposals = self.propose()
        return self.edit(lambda draft: edit(draft, proposals), seen)

    def check(self) -> Health:
        """What is found about the draft; other forms are heeded once they were compared."""
        with self._lock:
            number, draft, beside = self._number, self._history.present, self._beside
        form = make_form(draft).kept_in(self.folder)
        found = [*check_alone(form), *(beside or ())]
        placed = [*_about_loose(draft), *((one, _keys_of(draft, one)) for one in found)]
        placed.sort(key=lambda pair: -pair[0].weight)
        points = score(finding for finding, _keys in placed)
        return Health(number, points, tuple(placed), beside is not None)

    def save(self, version: str, seen: int) -> State:
        """Put the draft in the place of the form, as a new version.

        Args:
            version: What the new version is called.
            seen: The number of the state that is to be saved.

        Raises:
            OutOfDateError: That is not the state any more.
            FormError: Targets belong to no question, or the form was changed elsewhere.
            StorageError: The folder cannot be written.
        """
        with self._lock:
            self._must_be_up_to_date(seen)
            draft = change_form(self._history.present, {"version": version})
            loose = len(draft.loose())
            if loose:
                raise FormError(
                    _loose_text(loose), remedy=_("Make questions of them, or delete them.")
                )
            save_version(make_form(draft), self.folder, self._stamp)
            self._stamp = stamp_of(self.folder)
            self._saved = draft
            self._history = self._history.after(draft)
            self._number += 1
            drop_draft(self.folder)
            self.taken_up = self._beside = None
            return self._state(())

    def next_version(self) -> str:
        """What the next version would be called."""
        return next_version(self._saved.header.version)

    def former(self) -> list[str]:
        """The names of the versions that were saved before, the latest first."""
        return [form.version for form in former_versions(self.folder)]

    def take_former(self, version: str, seen: int) -> State:
        """Go on from a former version: as an edit, which can be undone.

        Raises:
            FormError: There is no such version.
        """
        found = next((one for one in former_versions(self.folder) if one.version == version), None)
        if found is None:
            raise FormError(_("There is no version {version}.").format(version=version))
        return self.edit(lambda _draft: self._on_these_pages(make_draft(found)), seen)

    def page(self, number: int) -> Page:
        """A page of the form.

        Raises:
            FormError: There is none of that number.
        """
        return self._saved.page(number)

    def _on_these_pages(self, draft: Draft) -> Draft:
        """A draft of before with the form's own pages, if it goes with them."""
        saved = self._saved.header
        header = draft.header.model_copy(update={"pages": saved.pages, "id": saved.id})
        return check_draft(replace(draft, header=header))

    def _state(self, selected: tuple[int, ...]) -> State:
        history = self._history
        return State(
            self._number,
            history.present,
            bool(history.past),
            bool(history.future),
            history.present == self._saved,
            selected,
        )

    def _keep(self, history: History) -> None:
        """Write the draft first; only what is kept is what is shown."""
        if history is self._history:
            return
        if history.present == self._saved:
            drop_draft(self.folder)
        else:
            keep_draft(history.present, self._stamp, self.folder)
        self._history = history
        self._number += 1

    def _must_be_up_to_date(self, seen: int) -> None:
        if seen != self._number:
            raise OutOfDateError(
                _("Another window has changed this form. It is shown anew; nothing was done."),
                remedy=_("Look at it and do it again."),
            )


def _about_loose(draft: Draft) -> list[tuple[Finding, tuple[int, ...]]]:
    loose = draft.loose()
    if not loose:
        return []
    finding = Finding(
        Severity.FAULT,
        _loose_text(len(loose)),
        _loose_remedy(),
        loose[0].option.page,
        50,
    )
    return [(finding, tuple(target.key for target in loose))]


def _keys_of(draft: Draft, finding: Finding) -> tuple[int, ...]:
    """The targets that a finding names; for a whole question all of its targets."""
    keys: list[int] = []
    for contest, option in finding.places:
        for question in draft.questions:
            if question.id == contest:
                own = question.targets
                keys += [k for k in own if option in {"", draft.target(k).option.id}]
    return tuple(keys)


def _loose_text(count: int) -> str:
    return ngettext(
        "{n} box belongs to no question yet.", "{n} boxes belong to no question yet.", count
    ).format(n=count)


def _loose_remedy() -> str:
    return _("Make questions of them, or delete them.")
