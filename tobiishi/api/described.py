"""The base of what the API takes and answers: its notes are the reference's descriptions."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Described(BaseModel):
    """The text under a field is its description, in /openapi.json and on /docs."""

    model_config = ConfigDict(use_attribute_docstrings=True)
