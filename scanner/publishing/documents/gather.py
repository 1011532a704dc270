"""What a document is made of, taken from a count, from a tally or from several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import SystemRandom

from scanner import __version__
from scanner.ballot import ContestState, Reason
from scanner.counting.account import close_of
from scanner.counting.adjudication import answers, sheet_label
from scanner.counting.merge import merge
from scanner.counting.reconcile import point_in_words
from scanner.counting.results import final_records
from scanner.counting.reworked import SET_ASIDE
from scanner.counting.store import Store
from scanner.counting.tally import CastVoteRecord, Standing
from scanner.counting.tally_file import TallyFile, TallyUnit
from scanner.counting.tally_making import TallyHeading, make_tally
from scanner.counting.unit_tree import read_unit_tree
from scanner.counting.verifying import seal_of_tally, verify
from scanner.errors import CountError, TallyMismatchError
from scanner.forms.template import Form
from scanner.messages import describe, speaking
from scanner.messages import gettext as _
from scanner.publishing.documents.contradictions import Contradiction
from scanner.publishing.documents.facts import AddedTally, Decided, Facts, Seal
from scanner.publishing.documents.tables import without_number
from scanner.publishing.documents.unit import Unit
from scanner.publishing.record_lines import rework_in_words
from scanner.publishing.sealed_tally import recount
from scanner.publishing.tally_json import read_tally

CODE = "kiemphieu:"
"""Before the SHA-256 of a seal in its QR code."""


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

    Raises:
        CountError: The count is sealed, and the seal does not hold.
    """
    heading = TallyHeading(TallyUnit(unit.name, unit.name), unit.period.name)
    tally = make_tally(store, forms, heading, at=at)
    return Facts(
        unit=unit,
        tally=replace(tally, program=__version__),
        language=language,
        decided=_in_any_order(list(_decided(store, forms, language)), forms),
        seal=_seal_of_count(store),
        points=_points(store, forms),
    )


def facts_of_tally(path: Path, unit: Unit, language: str) -> Facts:
    """What a document of a tally that was mailed is made of, with its seal.

    Raises:
        UnreadableFileError: The file cannot be read.
        TallyMismatchError: It is no tally, or its seal does not hold.
    """
    seal = _seal_of_tally(path)
    return Facts(unit=unit, tally=read_tally(path), language=language, seal=seal)


def facts_of_sum(
    paths: Sequence[Path], tree: Path, unit: Unit, language: str, at: datetime
) -> Facts:
    """What a document of several tallies is made of.

    Raises:
        TallyMismatchError: They cannot be added up, nothing came of them, or a seal does not hold.
    """
    seals = [_seal_of_tally(path) for path in paths]
    tallies = [read_tally(path) for path in paths]
    result = merge(tallies, read_unit_tree(tree), at=at)
    if result.total is None:
        raise TallyMismatchError(_("No tally has any figure."), path=tree)
    return Facts(
        unit=unit,
        tally=result.total,
        language=language,
        roll_up=result,
        added=tuple(_added(result.total, tallies, seals)),
    )


def _added(
    total: TallyFile, tallies: Sequence[TallyFile], seals: Sequence[Seal | None]
) -> Iterator[AddedTally]:
    """The tallies that are in a sum, each once and in its order; what was left out is none."""
    seal_of = {tally.sha256: seal for tally, seal in zip(tallies, seals, strict=True)}
    for source in total.sources:
        if source.sha256 in seal_of:
            name = source.unit.name or source.unit.id
            yield AddedTally(name, source.period, seal_of.pop(source.sha256))


def _seal_of_count(store: Store) -> Seal | None:
    """The seal of a count, if all that was sealed is still as it was.

    Raises:
        CountError: It is not.
    """
    if not store.is_sealed:
        return None
    verdict = verify(store.folder, recount=recount)
    if verdict.signed is None or not verdict.holds:
        raise CountError(
            " ".join((_("The seal does not hold."), *verdict.faults)),
            remedy=_("'kiemphieu verify' says all of it; a document would show another seal."),
            path=store.folder,
        )
    return Seal(verdict.signed.short, f"{CODE}{verdict.signed.digest}")


def _seal_of_tally(path: Path) -> Seal | None:
    """The seal of a tally that was mailed, if it bears one.

    Raises:
        TallyMismatchError: It does not hold.
    """
    signed = seal_of_tally(path)
    if signed is None:
        return None
    return Seal(signed.short, f"{CODE}{signed.digest}", is_of_tally=True)


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
    gone = store.gone_sheets()
    for rework in store.reworks():
        if rework.kind in SET_ASIDE and rework.stands(gone):
            with speaking(language):
                what = rework_in_words(rework.kind, rework.told)
            yield from (Decided(sheet_label(one), "", what, rework.by) for one in rework.former)


def _in_any_order(decided: list[Decided], forms: Sequence[Form]) -> tuple[Decided, ...]:
    """The decisions as they are; where a form asks for secrecy, of sheets in an order by lot.

    The sheets then have the numbers of that order, in brackets, as they are no serials.
    """
    if not any(form.secrecy.shuffled for form in forms):
        return tuple(decided)
    sheets = list(dict.fromkeys(one.sheet for one in decided))
    SystemRandom().shuffle(sheets)
    numbers = {sheet: place for place, sheet in enumerate(sheets, start=1)}
    renamed = [replace(one, sheet=f"({numbers[one.sheet]})") for one in decided]
    return tuple(sorted(renamed, key=lambda one: int(one.sheet[1:-1])))


def _result(
    record: CastVoteRecord, contest_id: str | None, form: Form | None, language: str
) -> str:
    """What an answer, or a sheet as a whole, counts as."""
    with speaking(language):
        vote = next((one for one in record.votes if one.contest == contest_id), None)
        if record.void:
            return describe(Reason(record.void))
        is_valid = record.standing is Standing.VALID
        if contest_id is None or not is_valid or vote is None or form is None:
            return describe(record.status)
        if vote.state not in {ContestState.VOTED, ContestState.UNDERVOTE}:
            return describe(vote.state)
        contest = form.contest(vote.contest)
        options = contest.options if contest is not None else ()
        labels = {option.id: option.label or option.id for option in options}
        return "; ".join(labels.get(option, option) for option in vote.options)
