"""A recipe of one pile or of many: which are drawn as papers, and which are only figures.

A sample of a whole year or of a whole district has more papers than anybody wants to wait for.
Its recipe draws those that matter, and gives the votes of the others as weights, from which every
pile gets whole numbers of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scanner.errors import UnreadableFileError
from scanner.forms.sample import RECIPE_FILE, Recipe, faulty_recipe, read_recipe_file
from scanner.messages import gettext as _

TILTS = 7
"""How many ways there are to tilt the weights of a pile: one for each of so many piles on end."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Other(_Part):
    """One pile that has other papers than its fellows."""

    unit: str
    period: str
    sheets: Annotated[int, Field(ge=1)]


class _Late(_Part):
    """One pile that was counted at another time than its fellows."""

    unit: str
    period: str
    on: date


class _Paperless(_Part):
    """Piles of which there are only figures: every unit has one in every period."""

    units: tuple[str, ...]
    periods: tuple[str, ...]
    form: str
    issued: int | None = None
    sheets: Annotated[int, Field(ge=1)]
    weights: dict[str, tuple[Annotated[int, Field(ge=0)], ...]]
    """Contest id -> one for each option in order, and the last for no answer."""
    other: tuple[_Other, ...] = ()
    late: tuple[_Late, ...] = ()


class SampleRule(_Part):
    """How the percentages of a sample are worked out, in the words of a count's rules."""

    denominator: Literal["returned", "valid", "answered"] = "valid"
    decimals: Annotated[int, Field(ge=0, le=2)] = 0
    rounding: Literal["half_up", "truncate", "largest_remainder"] = "half_up"


class _ManyPiles(_Part):
    schema_: Literal[2] = Field(alias="schema")
    rule: SampleRule = SampleRule()
    drawing: dict[str, Any] = {}
    """What all piles that are drawn have in common."""
    piles: tuple[dict[str, Any], ...] = ()
    tallies: tuple[_Paperless, ...] = ()
    counted_on: dict[str, date] = {}
    """Period -> when its piles are counted."""


@dataclass(frozen=True, slots=True)
class Pile:
    """One unit's papers of one period."""

    recipe: Recipe
    is_drawn: bool = True
    counted_on: date | None = None
    """When it is counted; None where the sample does not say."""

    @property
    def name(self) -> str:
        """Of its files: ``thuy-luong-2021-Q1``."""
        return "-".join(part for part in (self.recipe.unit, self.recipe.period) if part)


@dataclass(frozen=True, slots=True)
class Scenario:
    """All piles of a sample."""

    piles: tuple[Pile, ...]
    """Those that are drawn first."""
    rule: SampleRule

    @property
    def forms(self) -> list[str]:
        """The forms of all papers, those of foreign papers too; each once."""
        names = [pile.recipe.form for pile in self.piles]
        names += [pile.recipe.foreign for pile in self.piles if pile.recipe.foreign]
        return list(dict.fromkeys(names))


def read_scenario(folder: Path) -> Scenario:
    """The ``recipe.yaml`` of a sample, of one pile or of many.

    Raises:
        UnreadableFileError: The recipe is missing or faulty.
    """
    path = folder / RECIPE_FILE
    data = read_recipe_file(path)
    try:
        if not isinstance(data, dict) or data.get("schema", 1) == 1:
            return Scenario((Pile(Recipe.model_validate(data)),), SampleRule())
        many = _ManyPiles.model_validate(data)
        drawn = [Recipe.model_validate({**many.drawing, **pile}) for pile in many.piles]
        late = {(one.unit, one.period): one.on for group in many.tallies for one in group.late}
        days = many.counted_on
        piles = [Pile(recipe, counted_on=days.get(recipe.period)) for recipe in drawn]
        for recipe in _paperless(many.tallies):
            usual = days.get(recipe.period)
            day = late.get((recipe.unit, recipe.period), usual)
            piles.append(Pile(recipe, is_drawn=False, counted_on=day))
    except ValidationError as error:
        raise faulty_recipe(path, error) from error
    names = [pile.name for pile in piles]
    if len(set(names)) < len(names):
        raise UnreadableFileError(_("The recipe has two piles of one unit and period."), path=path)
    return Scenario(tuple(piles), many.rule)


def _paperless(groups: tuple[_Paperless, ...]) -> Iterator[Recipe]:
    for group in groups:
        others = {(one.unit, one.period): one.sheets for one in group.other}
        for place, unit in enumerate(group.units):
            for turn, period in enumerate(group.periods):
                sheets = others.get((unit, period), group.sheets)
                votes = deal(group.weights, sheets, tilt=place + 3 * turn)
                yield Recipe(
                    unit=unit,
                    period=period,
                    form=group.form,
                    issued=group.issued,
                    sheets=sheets,
                    tally=votes,
                )


def deal(
    weights: Mapping[str, tuple[int, ...]], sheets: int, *, tilt: int
) -> dict[str, tuple[int, ...]]:
    """Whole votes for every option, in whole numbers only, so that every machine deals the same.

    Args:
        weights: Contest id -> one for each option, and the last for no answer.
        sheets: Papers of the pile.
        tilt: Which pile it is: in each, one option is a little heavier than in the others.

    Returns:
        Contest id -> votes; what division leaves over has no answer where anybody gave none,
        else the option with the greatest weight.
    """
    dealt = {}
    for contest, usual in weights.items():
        tilted = list(usual)
        heavier = tilt % TILTS % (len(usual) - 1)
        if tilted[heavier]:
            tilted[heavier] += 1 + tilt % TILTS
        votes = [sheets * weight // sum(tilted) for weight in tilted]
        over = sheets - sum(votes)
        votes[-1 if usual[-1] else usual.index(max(usual))] += over
        dealt[contest] = tuple(votes[:-1])
    return dealt
