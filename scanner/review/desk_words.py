"""The words of the desk: reasons, readings, decisions and times as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scanner.ballot import MarkState, Reason, TargetReading
from scanner.counting.adjudication import Decision, Verdict, sheet_label
from scanner.counting.queue import Pile
from scanner.forms.template import Contest, Form, Rule
from scanner.messages import describe, ngettext
from scanner.messages import gettext as _
from scanner.reading.decide import needs_review

SUREST = 99
"""Percent: nothing is said to be certain."""


def pile_name(pile: Pile) -> str:
    """A list in words."""
    return {
        Pile.OPEN: _("open"),
        Pile.SECOND: _("second reader"),
        Pile.DISAGREE: _("readers disagree"),
        Pile.ESCALATED: _("for the committee"),
        Pile.DECIDED: _("decided"),
    }[pile]


def reasons_in_words(
    reasons: Iterable[Reason], rule: Rule, doubles: Sequence[int] = ()
) -> list[str]:
    """Why a person is asked, in sentences.

    Args:
        reasons: All there are; those that nobody is asked for are left out.
        rule: The form's.
        doubles: Sheets that seem to be the same paper.
    """
    found = {*reasons}
    words = [describe(one) for one in Reason if one in found and needs_review([one], rule)]
    if Reason.SAME_PAPER in found and doubles:
        others = ", ".join(sheet_label(other) for other in doubles)
        words.append(_("Compare it with {sheets}.").format(sheets=others))
    return words


def question_name(form: Form | None, contest: str | None) -> str:
    """What is asked about: a question, or the sheet as a whole."""
    if contest is None:
        return _("The sheet as a whole")
    asked = form.contest(contest) if form is not None else None
    return (asked.title if asked is not None else "") or contest


def rule_in_words(contest: Contest) -> str:
    """How many options may be chosen, and how."""
    if contest.is_struck:
        return _("Names are struck out; those that are left are chosen, {max} at most.").format(
            max=contest.max
        )
    if contest.max == 1:
        return _("One answer.")
    return _("{max} answers at most, of {count}.").format(
        max=contest.max, count=len(contest.options)
    )


def reading_in_words(reading: TargetReading, *, is_struck: bool) -> str:
    """What the machine read at a target, and how sure it is."""
    percent = round(100 * reading.probability)
    if reading.state is MarkState.DOUBTFUL:
        text = (
            _("unclear, {percent} % likely struck out")
            if is_struck
            else _("unclear, {percent} % likely marked")
        )
        return text.format(percent=min(max(percent, 100 - SUREST), SUREST))
    is_marked = reading.state is MarkState.MARKED
    sure = min(percent if is_marked else 100 - percent, SUREST)
    if is_struck:
        text = _("struck out, {percent} % sure") if is_marked else _("left, {percent} % sure")
    else:
        text = _("marked, {percent} % sure") if is_marked else _("not marked, {percent} % sure")
    return text.format(percent=sure)


def answer_in_words(decision: Decision, form: Form | None) -> str:
    """What a person decided."""
    match decision.verdict:
        case Verdict.OPTIONS:
            contest = form.contest(decision.contest or "") if form is not None else None
            labels = {one.id: one.label for one in contest.options} if contest is not None else {}
            return ", ".join(labels.get(one) or one for one in decision.options)
        case Verdict.BLANK:
            return _("no answer")
        case Verdict.OVERVOTE:
            return _("invalid: too many")
        case Verdict.ACCEPT:
            return _("count the sheet as it was read")
        case Verdict.REFUSE:
            return _("void the sheet")
        case Verdict.WITHDRAW:
            return _("taken back")
        case Verdict.FLAG:
            return _("to be looked at again")
        case Verdict.ESCALATE:
            return _("for the committee")


def left_in_words(left: int, seconds: float | None) -> str:
    """How many doubts are left, and how long they take.

    Args:
        left: So many.
        seconds: At the present pace; None where that is not known.
    """
    if not left:
        return _("Nothing is left here.")
    text = ngettext("{number} doubt left", "{number} doubts left", left).format(number=left)
    if seconds is None:
        return text
    return _("{left}, about {time} at the present pace").format(
        left=text, time=time_in_words(seconds)
    )


def time_in_words(seconds: float) -> str:
    """A length of time as one says it: to the minute, above ten hours to the hour."""
    minutes = max(round(seconds / 60), 1)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("{minutes} min").format(minutes=minutes)
    if hours >= 10 or not rest:
        return _("{hours} h").format(hours=hours + (rest >= 30))
    return _("{hours} h {minutes} min").format(hours=hours, minutes=rest)


def void_reasons() -> list[str]:
    """Why a sheet may be void, to be chosen from."""
    return [
        _("It is a copy of another sheet."),
        _("It is not one of the papers that were handed out."),
        _("It is a trial or a sample, and no voter's."),
        _("The paper is too damaged to be read."),
        _("It will be scanned again."),
    ]


def key_meanings() -> list[tuple[str, str]]:
    """What each key does, in the order of the work."""
    return [
        ("1 – 9", _("choose an option, or take it back")),
        ("0", _("no answer")),
        ("I", _("too many are marked: invalid")),
        ("Enter", _("confirm")),
        ("U", _("undo my last decision")),
        ("S", _("skip, and come back at the end")),
        ("E", _("hand it to the committee")),
        ("V", _("void the sheet")),
        ("N", _("write a note")),
        ("← →", _("previous, next")),
        ("O", _("the other side of the sheet")),
        ("B", _("compare with the blank form")),
        ("+ −", _("zoom the page")),
        ("F", _("see the whole page")),
        ("↑ ↓", _("move the zoomed page; with Shift also ← →")),
        ("H", _("hide the outlines, or show them")),
        ("PgUp PgDn", _("with more than nine options: the digits of others")),
    ]


def script_texts() -> dict[str, str]:
    """What ``desk.js`` says, by name."""
    return {
        "nothing": _("Nothing is chosen yet."),
        "choose": _("Choose first: an option by its digit, or 0 for no answer."),
        "counts": _("Counts as: {answer}"),
        "blank": _("Counts as: no answer"),
        "overvote": _("Counts as: invalid, too many are chosen"),
        "accept": _("Counts as it was read"),
        "end": _("There is nothing further in this direction."),
        "voidTitle": _("Void the whole sheet"),
        "voidHint": _("Nothing on it will count. The sheet stays on record with your reason."),
        "voidLabel": _("Reason"),
        "voidYes": _("Void the sheet"),
        "escalateTitle": _("Hand it to the committee"),
        "escalateHint": _("Only the committee can decide it then."),
        "escalateLabel": _("What should they look at? (may stay empty)"),
        "escalateYes": _("Hand on"),
        "noteTitle": _("Note"),
        "noteHint": _("It is kept on the record under your name."),
        "noteLabel": _("Text"),
        "noteYes": _("Keep"),
    }
