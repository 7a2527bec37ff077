"""What the API answers where it can't do what is asked, for the reference: see `create_app`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from tobiishi.api.described import Described


class Problem(Described):
    """What went wrong."""

    detail: str
    """What is wrong and what to do about it, in words."""


class Barrier(Problem):
    """What keeps a friend out of a scenario."""

    code: str
    """For programs: `retired`, `blocked`, `in_it`, `not_open`, `entered_before`, `too_soon`."""


class WrongPart(Described):
    """A part of the request that can't be."""

    type: str
    """What kind of mistake it is, for programs."""
    loc: list[str | int]
    """Where it is: in the `path`, the `query` or the `body`, and the way to it from there."""
    msg: str
    """What is wrong with it, in words."""


class WrongRequest(Described):
    """A request that is not what the operation takes."""

    detail: list[WrongPart]
    """Every part that is wrong."""


class WrongField(Described):
    """One thing that is wrong with a scenario file."""

    line: int
    """Its line in the file, from 1."""
    column: int
    """Its column, from 1."""
    field: str
    """Where in the scenario: `steps[1].wait.at`."""
    message: str
    """What is wrong, and what to do."""


class WrongScenario(Described):
    """A scenario file that can't be published."""

    detail: str
    """Every problem, a line each."""
    problems: list[WrongField]
    """The same, for programs."""


#: Of each status, its body (None where it is one of no fixed form) and when it is answered.
_ANSWERS: dict[int, tuple[type[BaseModel] | None, str]] = {
    400: (Problem, "The request asks for what can't be"),
    401: (Problem, "The request carries no token, or a wrong one"),
    404: (Problem, "What the request names does not exist"),
    409: (Problem, "Something else rests on what is to go"),
    413: (None, "The body is too large"),
    422: (WrongRequest, "The request is not what the operation takes"),
    429: (None, "Too often; `Retry-After` tells how long to wait"),
    503: (Problem, "The database, or Temporal, can't be reached; try again"),
}

Answers = dict[int | str, dict[str, Any]]


def answers(*statuses: int) -> Answers:
    """These statuses, as `responses` of a router or of an operation."""
    return {status: _answer(*_ANSWERS[status]) for status in statuses}


def documents(media_type: str, *, is_text: bool = True) -> Answers:
    """200 of an operation that answers no JSON, as its `responses`."""
    schema = {"type": "string"} | ({} if is_text else {"format": "binary"})
    return {200: {"content": {media_type: {"schema": schema}}}}


def _answer(model: type[BaseModel] | None, description: str) -> dict[str, Any]:
    return {"description": description} | ({"model": model} if model else {})


#: 409 of the operation that has a friend enter.
BARRED: Answers = {409: _answer(Barrier, "The friend can't enter the scenario now")}
#: 422 of the operations that take a scenario file.
WRONG_SCENARIO: Answers = {
    422: {
        "model": WrongScenario | WrongRequest,
        "description": "The scenario is wrong, or the request is not what the operation takes",
    }
}
