"""Versions of a form that differ: which may be added up, and how one is mapped onto another.

Two versions are added up by the ids of their contests and options if these are the same, with the
same words and limits. Same ids with other words may well be other answers: then nothing is added
until a person has said in a mapping file what is what.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from scanner.counting.adding import add_groups, newest_first
from scanner.counting.tally_file import (
    TallyBreakdown,
    TallyContest,
    TallyFile,
    TallyForm,
    TallyGroup,
    TallyOption,
)
from scanner.counting.tally_making import BY_CONTEST
from scanner.counting.unit_tree import check_yaml
from scanner.errors import TallyMismatchError
from scanner.messages import gettext as _


def _number_as_text(value: object) -> object:
    """A bare number such as a version is no text to YAML."""
    return str(value) if isinstance(value, int | float) else value


Name = Annotated[str, BeforeValidator(_number_as_text), Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ContestMap(_Part):
    """What a contest of the mapped form is in the other."""

    to: Name | None = None
    """The id of the contest there; its own if nothing is given."""
    options: dict[Name, Name] = {}
    """Ids of options and what they are there; those not named keep their own."""


class FormMap(_Part):
    """How one version of a form becomes another."""

    form: Name
    version: Name | None = None
    """Only this version."""
    hash: Name | None = None
    """Only the version whose hash begins so."""
    to: Name
    """The id of the form that it becomes; one of the tallies must have it."""
    contests: dict[Name, ContestMap] = {}
    leave_out: tuple[Name, ...] = ()
    """Its contests that the other does not have; they are not added."""
    not_asked: tuple[Name, ...] = ()
    """Contests of the other that it does not have."""

    def is_about(self, form: TallyForm) -> bool:
        """Whether a form is the one that is to be mapped."""
        return (
            form.id == self.form
            and self.version in (None, form.version)
            and form.hash.startswith(self.hash or "")
        )


class FormMapping(_Part):
    """All that a mapping file says."""

    schema_: Literal[1] = Field(alias="schema", default=1)
    forms: tuple[FormMap, ...] = ()

    def find(self, form: TallyForm) -> FormMap | None:
        """The first that is about a form, or None."""
        return next((one for one in self.forms if one.is_about(form)), None)


def read_form_mapping(path: Path) -> FormMapping:
    """Read a mapping file.

    Raises:
        InputError: It is missing or faulty; the message names the file, the line and the field.
    """
    return check_yaml(FormMapping, path, _("A mapping starts with 'schema: 1' and 'forms: …'."))


def map_forms(tallies: Sequence[TallyFile], mapping: FormMapping) -> list[TallyFile]:
    """The tallies with their forms mapped, all of one shape where they are of one id.

    Raises:
        TallyMismatchError: Versions differ and are not mapped, or the mapping does not fit; the
            message names the files, the form and the first difference.
    """
    plain = [(form, tally) for tally in tallies for form in tally.forms if not mapping.find(form)]
    targets = {form.id: form for form in reversed(newest_first([form for form, _file in plain]))}
    mapped = [_map_tally(tally, mapping, targets) for tally in tallies]
    first: dict[str, tuple[TallyForm, str]] = {}
    for tally in mapped:
        for form in tally.forms:
            known, file = first.setdefault(form.id, (form, tally.file))
            difference = find_difference(known, form)
            if difference:
                raise TallyMismatchError(
                    _(
                        "{file} and {other} were counted with versions of the form {form} that"
                        " differ: {difference}"
                    ).format(file=file, other=tally.file, form=form.id, difference=difference),
                    remedy=_("Say in a mapping file what is what (--map FILE)."),
                )
    return mapped


def find_difference(one: TallyForm, other: TallyForm) -> str:
    """The first reason why the figures of two versions cannot be added by their ids.

    Returns:
        A sentence; empty where there is no reason.
    """
    contests = {contest.id: contest for contest in other.contests}
    if {contest.id for contest in one.contests} != set(contests):
        odd = {contest.id for contest in one.contests} ^ set(contests)
        return _("only one has the contests {ids}.").format(ids=", ".join(sorted(odd)))
    for contest in one.contests:
        difference = _contest_difference(contest, contests[contest.id])
        if difference:
            return difference
    return ""


def _contest_difference(one: TallyContest, other: TallyContest) -> str:
    if one.max != other.max:
        return _("in the contest {contest} {max} and {other} may be chosen.").format(
            contest=one.id, max=one.max, other=other.max
        )
    if _plain(one.title) != _plain(other.title):
        return _("the contest {contest} is called {title!r} and {other!r}.").format(
            contest=one.id, title=one.title, other=other.title
        )
    options = {option.id: option for option in other.options}
    odd = {option.id for option in one.options} ^ set(options)
    if odd:
        return _("in the contest {contest} only one has the options {ids}.").format(
            contest=one.id, ids=", ".join(sorted(odd))
        )
    for option in one.options:
        label = options[option.id].label
        if _plain(option.label) != _plain(label):
            return _("the option {option} of {contest} is called {label!r} and {other!r}.").format(
                option=option.id, contest=one.id, label=option.label, other=label
            )
    return ""


def _plain(text: str) -> str:
    """A text as it is compared: one way of composing letters, no capitals, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _map_tally(tally: TallyFile, mapping: FormMapping, targets: dict[str, TallyForm]) -> TallyFile:
    """A tally with its forms as they are mapped.

    Raises:
        TallyMismatchError: The mapping does not fit.
    """
    chosen = {form.id: (form, mapping.find(form)) for form in tally.forms}
    if all(rule is None for _form, rule in chosen.values()):
        return tally
    forms: list[TallyForm] = []
    breakdowns: list[TallyBreakdown] = []
    for form, rule in chosen.values():
        own = [one for one in tally.breakdowns if one.form == form.id]
        if rule is None:
            forms.append(form)
            breakdowns += own
            continue
        if rule.to not in targets:
            raise _misfit(tally, form, _("no tally has the form {form}.").format(form=rule.to))
        try:
            mapped = _map_form(form, rule, targets[rule.to])
        except ValueError as error:
            raise _misfit(tally, form, str(error)) from error
        forms.append(mapped)
        breakdowns += [
            done for one in own if (done := _map_breakdown(one, rule, targets[rule.to])) is not None
        ]
    if len({form.id for form in forms}) < len(forms):
        raise _misfit(tally, forms[0], _("two forms of it become one."))
    return replace(tally, forms=tuple(forms), breakdowns=tuple(breakdowns))


def _misfit(tally: TallyFile, form: TallyForm, reason: str) -> TallyMismatchError:
    return TallyMismatchError(
        _("{file}: the mapping of the form {form} does not fit: {reason}").format(
            file=tally.file, form=form.id, reason=reason
        ),
        remedy=_("docs/merging.md describes every field."),
    )


def _map_form(form: TallyForm, rule: FormMap, target: TallyForm) -> TallyForm:
    """A form as the other.

    Raises:
        ValueError: A contest or an option has no place; the message is for the user.
    """
    contests = _map_contests(form.contests, rule, target)
    reached = set(_destinations(form.contests, rule).values())
    odd = sorted(({contest.id for contest in target.contests} - reached) ^ set(rule.not_asked))
    if odd:
        raise ValueError(_("the contests {ids} are not accounted for.").format(ids=", ".join(odd)))
    return replace(
        form,
        id=target.id,
        title=target.title,
        version=target.version,
        hash=target.hash,
        contests=contests,
    )


def _destinations(contests: Sequence[TallyContest], rule: FormMap) -> dict[str, str]:
    """Where each contest goes that is not left out."""
    return {
        contest.id: rule.contests.get(contest.id, ContestMap()).to or contest.id
        for contest in contests
        if contest.id not in rule.leave_out
    }


def _map_contests(
    contests: Sequence[TallyContest], rule: FormMap, target: TallyForm
) -> tuple[TallyContest, ...]:
    """Contests in the shape of the other form; what was not asked has figures of 0.

    Raises:
        ValueError: A contest or an option has no place; the message is for the user.
    """
    places = _destinations(contests, rule)
    known = {contest.id for contest in contests}
    named = [*rule.contests, *rule.leave_out]
    lost = sorted(set(places.values()) - {contest.id for contest in target.contests})
    unknown = [name for name in named if name not in known]
    twice = [name for name in places.values() if list(places.values()).count(name) > 1]
    for ids, sentence in (
        (lost, _("there are no contests {ids} in the other form.")),
        (unknown, _("it has no contests {ids}.")),
        (twice, _("several contests become {ids}.")),
    ):
        if ids:
            raise ValueError(sentence.format(ids=", ".join(dict.fromkeys(ids))))
    by_place = {places[one.id]: one for one in contests if one.id in places}
    return tuple(
        _map_contest(by_place[one.id], rule, one) if one.id in by_place else _nothing(one)
        for one in target.contests
    )


def _nothing(contest: TallyContest) -> TallyContest:
    """A contest that nobody was asked."""
    options = tuple(replace(option, votes=0) for option in contest.options)
    return replace(
        contest, counted=0, options=options, blank=0, overvote=0, undervotes=0, in_doubt=0
    )


def _map_contest(contest: TallyContest, rule: FormMap, target: TallyContest) -> TallyContest:
    if contest.max != target.max:
        raise ValueError(
            _("in the contest {contest} {max} and {other} may be chosen.").format(
                contest=contest.id, max=contest.max, other=target.max
            )
        )
    options = rule.contests.get(contest.id, ContestMap()).options
    votes = {option.id: 0 for option in target.options}
    several = len({options.get(one.id, one.id) for one in contest.options}) < len(contest.options)
    if several and contest.max > 1:
        raise ValueError(
            _(
                "where several may be chosen, options of {contest} cannot become one: a voter may"
                " have chosen both."
            ).format(contest=contest.id)
        )
    for option in contest.options:
        name = options.get(option.id, option.id)
        if name not in votes:
            raise ValueError(
                _("the option {option} of {contest} has no place in the other form.").format(
                    option=option.id, contest=contest.id
                )
            )
        votes[name] += option.votes
    return replace(
        contest,
        id=target.id,
        title=target.title,
        is_breakdown=target.is_breakdown,
        options=tuple(TallyOption(one.id, one.label, votes[one.id]) for one in target.options),
    )


def _map_breakdown(
    breakdown: TallyBreakdown, rule: FormMap, target: TallyForm
) -> TallyBreakdown | None:
    """A breakdown in the shape of the other form; None where its contest is left out."""
    by = breakdown.by
    names: dict[str, str] = {}
    if by.startswith(BY_CONTEST):
        contest = by.removeprefix(BY_CONTEST)
        if contest in rule.leave_out:
            return None
        chosen = rule.contests.get(contest, ContestMap())
        by, names = f"{BY_CONTEST}{chosen.to or contest}", chosen.options
    groups: dict[str, list[TallyGroup]] = {}
    for group in breakdown.groups:
        contests = group.contests
        if contests is not None:
            contests = _map_contests(contests, rule, target)
        name = names.get(group.id, group.id)
        groups.setdefault(name, []).append(replace(group, id=name, contests=contests))
    return TallyBreakdown(target.id, by, tuple(add_groups(same) for same in groups.values()))
