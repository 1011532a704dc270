"""A form that was drawn here, registered once more from an office scan of its blank."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from pathlib import Path

from benchmarks.blanks import Blank, scan_form
from scanner.forms.deck import Deck, DeckSheet, DeckSums
from scanner.forms.scan_pdf import write_scan_pdf
from scanner.forms.template import Form, Option, read_form, write_form
from scanner.geometry import Box
from scanner.registering.draft import RegisterRequest, register_blank

NEAR_MM = 1.5
"""Between the middles of a target as it was drawn and as it was found."""
_QUALITY = 75

Name = tuple[str, str]
"""Contest and option."""


class MismatchError(Exception):
    """What was found is not the form that was drawn."""


@dataclass(frozen=True, slots=True)
class FoundAgain:
    """A form registered from a scan of another's blank."""

    form: Form
    names: dict[Name, Name]
    """Contest and option as drawn -> as registered, for every target of both forms."""
    notes: tuple[str, ...]
    """What the program told the clerk to look at."""


def register_again(form: Form, seed: int, folder: Path) -> FoundAgain:
    """Scan the blank of a form, register the scan without help, and find its targets by place.

    By hand comes only what no picture tells: how many options of a question may be chosen, and
    the form's rule.

    Args:
        form: A form that was drawn here.
        seed: Of the scan.
        folder: The folder of forms for the new one, which gets the same id.

    Raises:
        MismatchError: Other targets were found than were drawn, or other questions.
        FormError: The blank was refused.
    """
    blank = scan_form(form, seed)
    folder.mkdir(parents=True, exist_ok=True)
    pdf = folder / f"{form.id}-blank.pdf"
    with write_scan_pdf(pdf) as stream:
        for side in blank.sides:
            stream.add_page(side.gray, dpi=side.dpi, quality=_QUALITY)
    made = register_blank(RegisterRequest((pdf,), folder, form.id, replace=True))
    names = _match(form, blank, made.form)
    return FoundAgain(_tell_rule(form, made.form, names), names, made.notes)


def _match(form: Form, blank: Blank, found: Form) -> dict[Name, Name]:
    free = {(contest.id, option.id): option for contest, option in found.targets()}
    names: dict[Name, Name] = {}
    missed = []
    for (contest, option), true in zip(form.targets(), blank.targets, strict=True):
        near = [name for name, other in free.items() if _is_near(true.page, true.box, other)]
        if len(near) == 1:
            names[contest.id, option.id] = near[0]
            del free[near[0]]
        else:
            missed.append(f"{contest.id}/{option.id}")
    if missed or free:
        raise MismatchError(
            f"{form.id}: not found {', '.join(missed) or '-'};"
            f" found where nothing is {', '.join('/'.join(name) for name in free) or '-'}"
        )
    _check_questions(form, found, names)
    return names


def _is_near(page: int, box: Box, other: Option) -> bool:
    (x, y), (other_x, other_y) = box.center, other.box.center
    return page == other.page and hypot(x - other_x, y - other_y) <= NEAR_MM


def _check_questions(form: Form, found: Form, names: dict[Name, Name]) -> None:
    """The targets of a question must be those of one question, in the same order."""
    groups = {
        tuple((contest.id, option.id) for option in contest.options) for contest in found.contests
    }
    for contest in form.contests:
        group = tuple(names[contest.id, option.id] for option in contest.options)
        if group not in groups:
            raise MismatchError(f"{form.id}: the targets of {contest.id} became {group}")


def _tell_rule(form: Form, found: Form, names: dict[Name, Name]) -> Form:
    most = {names[contest.id, option.id][0]: contest.max for contest, option in form.targets()}
    contests = tuple(
        contest.model_copy(update={"max": most[contest.id]}) for contest in found.contests
    )
    told = found.model_copy(update={"contests": contests, "rule": form.rule})
    write_form(told, found.folder)
    return read_form(found.folder)


def translate_deck(deck: Deck, again: FoundAgain) -> Deck:
    """What a deck says, in the ids of the form that was registered from a scan."""
    contests = {drawn[0]: found[0] for drawn, found in again.names.items()}
    sheets = tuple(
        DeckSheet(
            sheet=sheet.sheet,
            doubt=sheet.doubt,
            contests={
                contests[contest]: {
                    again.names[contest, option][1]: meant for option, meant in targets.items()
                }
                for contest, targets in sheet.contests.items()
            },
        )
        for sheet in deck.sheets
    )
    tally = {
        contests[contest]: DeckSums(
            options={again.names[contest, name][1]: n for name, n in sums.options.items()},
            blank=sums.blank,
            overvote=sums.overvote,
        )
        for contest, sums in deck.tally.items()
    }
    return deck.model_copy(update={"sheets": sheets, "tally": tally})
