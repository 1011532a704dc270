"""Whether a decision can be carried out: is there such an answer, and is it this person's turn?"""

from __future__ import annotations

from collections.abc import Sequence

from scanner.counting.adjudication import (
    CALLS,
    Answers,
    Decision,
    SheetRecord,
    Stage,
    Verdict,
    sheet_label,
    standing,
)
from scanner.counting.people import is_same_name
from scanner.errors import BadArgumentsError
from scanner.forms.template import Contest, Form
from scanner.messages import gettext as _


def check_decision(
    decision: Decision,
    record: SheetRecord,
    form: Form | None,
    decisions: Sequence[Decision] = (),
) -> None:
    """See that a decision can be carried out.

    Args:
        decision: What somebody wants to decide.
        record: The sheet as read.
        form: The sheet's form; None for a refused page.
        decisions: Those made before on the same sheet, oldest first.

    Raises:
        BadArgumentsError: No name or no reason is given, the sheet cannot be decided, there
            is no such contest or option, or more options than allowed; or somebody else has
            to decide this.
    """
    if not decision.by.strip() or not decision.why.strip():
        raise BadArgumentsError(
            _("A decision needs a name and a reason."), remedy=_("Give --by NAME and --why TEXT.")
        )
    if form is None:
        raise BadArgumentsError(
            _("Sheet {sheet} is refused; nothing on it can be counted.").format(
                sheet=sheet_label(record.sheet)
            ),
            remedy=_("Scan the paper again, or register its form and start a new count."),
        )
    if decision.verdict is Verdict.WITHDRAW:
        _check_withdrawal(decision, decisions)
        return
    if decision.contest is not None:
        _check_answer(decision, _find_contest(form, decision.contest))
    elif decision.verdict not in {Verdict.ACCEPT, Verdict.REFUSE, *CALLS}:
        raise BadArgumentsError(_("Say which contest this decision is about."))
    if decision.verdict not in CALLS:
        _check_stage(decision, decisions)


def _check_stage(decision: Decision, decisions: Sequence[Decision]) -> None:
    """See that it is this person's turn."""
    given = Answers.of(standing(decisions), decision.contest)
    if decision.stage is Stage.COMMITTEE:
        return
    if given.needs_committee:
        raise BadArgumentsError(
            _("Only the committee may decide this."),
            remedy=_("Leave it to a member of the committee."),
        )
    is_second = decision.stage is Stage.SECOND
    if is_second and (given.counts is None or given.is_flagged):
        raise BadArgumentsError(
            _("Nobody has read this yet, so nobody can be the second reader."),
            remedy=_("Decide on it as the first reader."),
        )
    other = given.first if is_second else given.second
    if other is not None and not given.is_flagged and is_same_name(other.by, decision.by):
        raise BadArgumentsError(
            _("You have read this already; the second reader is another person."),
            remedy=_("Leave it to somebody else."),
        )


def _check_withdrawal(decision: Decision, decisions: Sequence[Decision]) -> None:
    undone = next((one for one in standing(decisions) if one.id == decision.undoes), None)
    if undone is None or undone.contest != decision.contest:
        raise BadArgumentsError(
            _("There is no such decision that could be taken back."),
            remedy=_("It may have been taken back already."),
        )
    is_own = is_same_name(undone.by, decision.by) and undone.stage is not Stage.COMMITTEE
    if decision.stage is not Stage.COMMITTEE and not is_own:
        raise BadArgumentsError(
            _("Only the committee may take back what others decided."),
            remedy=_("Leave it to a member of the committee."),
        )


def _find_contest(form: Form, contest_id: str) -> Contest:
    contest = form.contest(contest_id)
    if contest is None:
        raise BadArgumentsError(
            _("Form {form} has no contest {contest}.").format(form=form.id, contest=contest_id),
            remedy=_("It has: {names}.").format(names=", ".join(c.id for c in form.contests)),
        )
    return contest


def _check_answer(decision: Decision, contest: Contest) -> None:
    if decision.verdict in {Verdict.ACCEPT, Verdict.REFUSE}:
        raise BadArgumentsError(_("Only a whole sheet can be accepted or refused."))
    if decision.verdict not in {Verdict.OPTIONS, Verdict.FLAG}:
        return
    known = [option.id for option in contest.options]
    unknown = [option for option in decision.options if option not in known]
    if unknown:
        raise BadArgumentsError(
            _("Contest {contest} has no option {option}.").format(
                contest=contest.id, option=unknown[0]
            ),
            remedy=_("It has: {names}.").format(names=", ".join(known)),
        )
    if decision.verdict is Verdict.FLAG:
        return
    if not decision.options:
        raise BadArgumentsError(
            _("Say which options were chosen."),
            remedy=_("Give --blank if none was, --invalid if there were too many."),
        )
    if len(set(decision.options)) < len(decision.options):
        raise BadArgumentsError(_("An option is named twice."))
    if len(decision.options) > contest.max:
        raise BadArgumentsError(
            _("Contest {contest} allows {max} choices, not {count}.").format(
                contest=contest.id, max=contest.max, count=len(decision.options)
            ),
            remedy=_("Give --invalid if the voter chose too many."),
        )
