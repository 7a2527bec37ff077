"""A persona: the friend that a rehearsal makes up."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from tobiishi.errors import Invalid
from tobiishi.people.attribute_columns import COLUMNS, value_of
from tobiishi.people.friends import ONE_LINE, Attributes
from tobiishi.scenario import Scenario, own_fields
from tobiishi.scenario.parts import Condition, Slug, Tag
from tobiishi.scenario.rules import CameBy, Combined

#: The persona's id: no friend of LINE's has it.
FRIEND = "U" + "0" * 32
#: What can be said of a persona, beside the shop's own attributes.
_KNOWN = ("name", "route", *(name for name in COLUMNS if name not in ("friend", "tags")))
_Name = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=ONE_LINE)]


class Persona(BaseModel):
    """Who goes through a rehearsal. What is left out is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: _Name | None = "花子"
    """The name in LINE; null where LINE does not tell it."""
    attributes: Attributes = Attributes()
    """What the shop knows of them."""
    tags: tuple[Tag, ...] = Field(default=(), max_length=100)
    """The tags that they carry."""
    audiences: tuple[Slug, ...] = Field(default=(), max_length=100)
    """The audiences that they are in."""
    route: Slug | None = None
    """The route that they are added by."""

    def in_words(self) -> str:
        """`花子: gender female, age 34; in vip`."""
        given = self.attributes.model_dump(mode="json", exclude_none=True)
        own = given.pop("fields", {})
        known = [f"{name} {value}" for name, value in {**given, **own}.items()]
        known += [f"tag {tag}" for tag in self.tags]
        known += [f"in {audience}" for audience in self.audiences]
        known += [f"by route {self.route}"] if self.route else []
        return f"{self.name or 'no name'}: {', '.join(known) or 'nothing is known'}"


def read_persona(
    text: str, scenario: Scenario, *, audiences: Iterable[str], tags: Iterable[str], today: date
) -> Persona:
    """The persona of `gender=female,age=34`. Raises `Invalid`, naming the part and its fix."""
    attributes: dict[str, Any] = {}
    fields: dict[str, str | None] = {}
    more: dict[str, Any] = {"audiences": tuple(audiences), "tags": tuple(tags)}
    own = fields_of(scenario)
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value:
            raise Invalid(
                f"friend: {part!r} is not an attribute; write name=value, such as gender=female"
            )
        if name in ("name", "route"):
            more[name] = value
        elif name in _KNOWN:
            try:
                attributes[name] = value_of(name, value, today)
            except ValueError as error:
                raise Invalid(f"friend: {name} {value!r} {error}") from None
        elif name in own:
            fields[name] = value
        else:
            raise Invalid(f"friend: {unknown(name, (*_KNOWN, *own), 'an attribute')}")
    try:
        return Persona(attributes=Attributes(**attributes, fields=fields), **more)
    except ValidationError as error:
        raise Invalid(wrong_part(error)) from None


def check_persona(persona: Persona, scenario: Scenario, known: Iterable[str]) -> None:
    """Raises `Invalid` where the persona is in an audience, or by a route, that leads nowhere."""
    for audience in persona.audiences:
        if audience not in set(known):
            raise Invalid(f"friend: {unknown(audience, known, 'an audience of this scenario')}")
    routes = routes_of(scenario)
    if persona.route and persona.route not in routes:
        raise Invalid(f"friend: {unknown(persona.route, routes, 'a route of this scenario')}")
    own = fields_of(scenario)
    for field in persona.attributes.fields:
        if field not in own:
            raise Invalid(f"friend: {unknown(field, own, 'an attribute of this scenario')}")


def fields_of(scenario: Scenario) -> tuple[str, ...]:
    """The shop's own attributes that the scenario asks for or fills in."""
    found: dict[str, None] = {}
    for _, step in scenario.walk():
        if step.send:
            found |= {name.removeprefix("fields."): None for name in own_fields(step.send.messages)}
        for case in step.branch or ():
            found |= dict.fromkeys(_fields(case.when))
    for definition in scenario.audience_definitions.values():
        if isinstance(definition, Combined):
            found |= dict.fromkeys(_fields(definition.when))
    return tuple(found)


def parts_of(condition: Condition) -> list[Condition]:
    """The conditions that a condition is made of."""
    inner = [condition.not_] if condition.not_ else []
    return [*(condition.all or ()), *(condition.any or ()), *inner]


def _fields(condition: Condition | None) -> Iterable[str]:
    if condition is not None:
        yield from condition.fields or {}
        for part in parts_of(condition):
            yield from _fields(part)


def routes_of(scenario: Scenario) -> tuple[str, ...]:
    """The routes that the scenario names."""
    added = scenario.start.friend_added
    named = dict.fromkeys((added and added.routes) or ())
    for definition in scenario.audience_definitions.values():
        if isinstance(definition, CameBy):
            named[definition.route] = None
    return tuple(named)


def unknown(name: str, names: Iterable[str], what: str) -> str:
    """That a name leads nowhere, what was perhaps meant, and what there is."""
    there = sorted(set(names))
    near = difflib.get_close_matches(name, there, n=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    choice = f"there are: {', '.join(there)}" if there else "there is none"
    return f"{name!r} is not {what}; {meant}{choice}"


def wrong_part(error: ValidationError) -> str:
    """The first thing that is wrong, with its place."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"friend: {where}: {first['msg'].removeprefix('Value error, ')}"
