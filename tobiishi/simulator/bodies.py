"""Request bodies of the control API: validated JSON, refused with helpful words."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from tobiishi.line import Detail
from tobiishi.simulator.answers import Rejection

Model = TypeVar("Model", bound=BaseModel)


class Body(BaseModel):
    """A JSON object with no properties but these, written in camelCase."""

    model_config = ConfigDict(
        extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True
    )


async def read_json(request: Request) -> Any:
    """The body's JSON, an empty object where there is none. Raises `Rejection`."""
    body = await request.body()
    try:
        return json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Rejection(400, f"the body is not JSON: {error}; send a JSON object") from None


async def read(request: Request, model: type[Model]) -> Model:
    return validated(model, await read_json(request))


def validated(model: type[Model], given: Any) -> Model:
    """Validate the body. Raises `Rejection`, which names each field."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        details = []
        for problem in error.errors(include_url=False, include_context=False):
            place = ".".join(str(part) for part in problem["loc"])
            text = problem["msg"]
            if problem["type"] == "extra_forbidden":
                names = ", ".join(field.alias or name for name, field in model.model_fields.items())
                text = f"Unknown; known are {names}"
            details.append(Detail(place or "body", text))
        message = "; ".join(map(str, details))
        raise Rejection(422, message, details=details) from None
