"""What a document is made of, taken from a count, from a tally or from several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from scanner import __version__
from scanner.ballot import ContestState
from scanner.counting.account import close_of
from scanner.counting.adjudication import answers, sheet_label
from scanner.counting.merge import merge
from scanner.counting.reconcile import point_in_words
from scanner.counting.results import final_records
from scanner.counting.sealing import read_seal
from scanner.counting.store import Store
from scanner.counting.tally import COUNTED, CastVoteRecord
from scanner.counting.tally_file import TallyFile, TallyUnit
from scanner.counting.tally_making import TallyHeading, make_tally
from scanner.counting.unit_tree import read_unit_tree
from scanner.counting.verifying import check_sealed_tally
from scanner.errors import CountError, TallyMismatchError
from scanner.forms.template import Form
from scanner.messages import describe, speaking
from scanner.messages import gettext as _
from scanner.publishing.documents.contradictions import Contradiction
from scanner.publishing.documents.facts import Decided, Facts, Seal
from scanner.publishing.documents.tables import without_number
from scanner.publishing.documents.unit import Unit
from scanner.publishing.tally_json import read_tally


def facts_of_count(
    store: Store, forms: Sequence[Form], unit: Unit, language: str, at: datetime
) -> Facts:
    """What a document of a count is made of, with each decision and the seal.

    Args:
        store: The count.
        forms: The count's forms.
        unit: The facts about the unit.
        language: Of the document.
        at: When it is made, with a time zone.
    """
    heading = TallyHeading(TallyUnit(unit.name, unit.name), unit.period.name)
    tally = make_tally(store, forms, heading, at=at)
    seal = read_seal(store.folder) if store.is_sealed else None
    return Facts(
        unit=unit,
        tally=replace(tally, program=__version__),
        language=language,
        decided=tuple(_decided(store, forms, language)),
        seal=Seal(seal.short, f"kiemphieu:{seal.digest}") if seal is not None else None,
        points=_points(store, forms),
    )


def facts_of_tally(path: Path, unit: Unit, language: str) -> Facts:
    """What a document of a tally that was mailed is made of.

    Raises:
        UnreadableFileError: The file cannot be read.
        TallyMismatchError: It is no tally, or its seal does not hold.
    """
    return Facts(unit=unit, tally=_read_checked(path), language=language)


def facts_of_sum(
    paths: Sequence[Path], tree: Path, unit: Unit, language: str, at: datetime
) -> Facts:
    """What a document of several tallies is made of.

    Raises:
        TallyMismatchError: They cannot be added up, nothing came of them, or a seal does not hold.
    """
    result = merge([_read_checked(path) for path in paths], read_unit_tree(tree), at=at)
    if result.total is None:
        raise TallyMismatchError(_("No tally has any figure."), path=tree)
    return Facts(unit=unit, tally=result.total, language=language, roll_up=result)


def _read_checked(path: Path) -> TallyFile:
    """A tally, if the seal that it may bear holds."""
    check_sealed_tally(path)
    return read_tally(path)


def see_that_it_is_final(facts: Facts, found: Sequence[Contradiction], path: Path) -> None:
    """See that a final document may be made.

    Args:
        facts: What it is made of.
        found: What does not fit in it.
        path: The count or tally, for the message.

    Raises:
        CountError: The count is not final, or something in the document cannot be.
    """
    remedy = _("Put it right; or write a document that is marked as provisional: --provisional.")
    if not facts.is_final:
        raise CountError(
            " ".join((_("The count is not final."), *facts.points)), remedy=remedy, path=path
        )
    if any(one.is_impossible for one in found):
        raise CountError(_("Something in this document cannot be."), remedy=remedy, path=path)


def _points(store: Store, forms: Sequence[Form]) -> tuple[str, ...]:
    """Why a count is not final."""
    closing = close_of(store, list(forms))
    return () if closing.is_final else tuple(map(point_in_words, closing.open_points))


def _decided(store: Store, forms: Sequence[Form], language: str) -> Iterator[Decided]:
    """The decisions that stand, sheet by sheet, with what each answer counts as in the end."""
    by_id = {form.id: form for form in forms}
    records = {record.sheet: record for record in final_records(store, forms)}
    for sheet, made in sorted(store.decisions().items()):
        record = records.get(sheet)
        if record is None:
            continue
        form = by_id.get(record.form or "")
        last = {one.contest: one for one in answers(made)}
        for contest_id, one in last.items():
            contest = form.contest(contest_id) if form is not None and contest_id else None
            title = without_number(contest.title or contest.id) if contest is not None else ""
            result = _result(record, contest_id, form, language)
            yield Decided(sheet_label(sheet), title, result, one.by)


def _result(
    record: CastVoteRecord, contest_id: str | None, form: Form | None, language: str
) -> str:
    """What an answer, or a sheet as a whole, counts as."""
    with speaking(language):
        vote = next((one for one in record.votes if one.contest == contest_id), None)
        if contest_id is None or record.status not in COUNTED or vote is None or form is None:
            return describe(record.status)
        if vote.state not in {ContestState.VOTED, ContestState.UNDERVOTE}:
            return describe(vote.state)
        contest = form.contest(vote.contest)
        options = contest.options if contest is not None else ()
        labels = {option.id: option.label or option.id for option in options}
        return "; ".join(labels.get(option, option) for option in vote.options)
