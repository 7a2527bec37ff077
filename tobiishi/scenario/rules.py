"""What an audience is: what makes a friend a member of it.

The six kinds are those that LINE's own audiences have
(https://developers.line.biz/en/docs/messaging-api/using-audience/), each defined by what a shop
can see of a single friend, and a seventh that combines others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Discriminator, Field, StringConstraints, model_validator
from pydantic import Tag as PydanticTag

from tobiishi.scenario.parts import Condition, OneOrMany, ScenarioPart, Slug, Tag, Whole

#: What a page of the shop's says that happened there.
EventName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]

#: The longest that a site audience looks back, in days.
MAX_LOOK_BACK_DAYS = 180

#: What may show that a friend saw a message. LINE does not report who opened one
#: (https://developers.line.biz/en/docs/messaging-api/unit-based-statistics-aggregation/).
#: `click`: a link of it. `postback`: a button of it. `reply`: wrote in the chat soon after it.
#: `video`: watched its video to the end. `image`: an image of it was fetched, which is unproven
#: on the real LINE. `upload`: listed by hand.
Evidence = Literal["click", "postback", "reply", "video", "image", "upload"]


class _Definition(ScenarioPart):
    title: str | None = Field(
        default=None, min_length=1, max_length=120, description="What marketers call it."
    )

    @property
    def rule(self) -> dict[str, Any]:
        """What makes a friend a member, as it is stored beside the kind."""
        return self.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude={"title", "kind"}
        )


class Uploaded(_Definition):
    """The listed friends."""

    kind: Literal["upload"] = "upload"
    """What kind of audience it is."""


class Tagged(_Definition):
    """Those who carry a tag."""

    kind: Literal["tag"]
    """What kind of audience it is."""
    tag: Tag
    """The tag."""


class _OfMessage(_Definition):
    scenario: Slug | None = Field(
        default=None, description="The scenario of the message; in a scenario's file, that one."
    )
    message: Slug = Field(description="The message, by its name.")

    @property
    def rule(self) -> dict[str, Any]:
        if self.scenario is None:
            raise ValueError("`scenario` is missing; name the scenario that sends the message")
        return super().rule


class Clicked(_OfMessage):
    """Those who clicked a link of a message."""

    kind: Literal["click"]
    """What kind of audience it is."""
    url: str | None = Field(
        default=None, max_length=1000, description="Only this link, as it is in the message."
    )


class Saw(_OfMessage):
    """Those of whom there is evidence that they saw a message."""

    kind: Literal["impression"]
    """What kind of audience it is."""
    evidence: OneOrMany[Evidence] = Field(
        default=("click", "postback", "reply", "video"),
        min_length=1,
        description="What counts as having seen it.",
    )
    data: str | None = Field(
        default=None,
        min_length=1,
        max_length=300,
        pattern=r"^[^\x00]+$",
        description="Only those who pressed the button that answers with this data.",
    )

    @model_validator(mode="before")
    @classmethod
    def _pressed(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and value.get("data") is not None:
            return {"evidence": ["postback"], **value}
        return value

    @model_validator(mode="after")
    def _of_a_button(self) -> Self:
        if self.data is not None and self.evidence != ("postback",):
            raise ValueError("data is of a button: evidence is postback alone then; leave it out")
        return self


class CameBy(_Definition):
    """Those who were added through a route."""

    kind: Literal["route"]
    """What kind of audience it is."""
    route: Slug
    """The route, by its name."""


class Url(ScenarioPart):
    """A page of the shop's, or many."""

    equals: str | None = Field(default=None, min_length=1, max_length=2000)
    """The whole address."""
    starts_with: str | None = Field(default=None, min_length=1, max_length=2000)
    """The beginning of the address."""
    contains: str | None = Field(default=None, min_length=1, max_length=2000)
    """A part of the address."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for _, value in self) != 1:
            raise ValueError("a url is one of equals, starts_with or contains")
        return self


class DidOnSite(_Definition):
    """Those who did something on the shop's site recently."""

    kind: Literal["web"]
    """What kind of audience it is."""
    event: EventName | None = Field(
        default=None,
        description="page_view, add_to_cart, purchase or one of the shop's own; any if left out.",
    )
    url: Url | None = Field(default=None, description="Only on these pages.")
    days: Whole = Field(
        default=30,
        ge=1,
        le=MAX_LOOK_BACK_DAYS,
        description="How long ago at most; then membership ends by itself.",
    )


class Combined(_Definition):
    """Those who meet a condition on other audiences and on attributes."""

    kind: Literal["combined"]
    """What kind of audience it is."""
    when: Condition
    """What must hold of a friend."""


AudienceKind: TypeAlias = Literal[
    "upload", "tag", "click", "impression", "route", "web", "combined"
]


def _kind(value: Any) -> Any:
    """An audience is a list of friends where nothing else is said."""
    return (
        value.get("kind", "upload") if isinstance(value, Mapping) else getattr(value, "kind", None)
    )


#: What pydantic puts into an error's path to tell the kinds apart is the kind.
Definition: TypeAlias = Annotated[
    Annotated[Uploaded, PydanticTag("upload")]
    | Annotated[Tagged, PydanticTag("tag")]
    | Annotated[Clicked, PydanticTag("click")]
    | Annotated[Saw, PydanticTag("impression")]
    | Annotated[CameBy, PydanticTag("route")]
    | Annotated[DidOnSite, PydanticTag("web")]
    | Annotated[Combined, PydanticTag("combined")],
    Discriminator(
        _kind,
        custom_error_type="unknown_kind",
        custom_error_message="kind is one of upload, tag, click, impression, route, web, combined",
    ),
]
