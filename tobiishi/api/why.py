"""Why over HTTP: why a friend got a message, or did not, in words and as facts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from tobiishi.api.context import DEFAULT_CHANNEL, Authorised, InChannel, InContext, InLanguage
from tobiishi.api.described import Described
from tobiishi.api.errors import answers
from tobiishi.journeys.deliveries import Delivery, DeliveryStatus
from tobiishi.journeys.explaining import Paragraph, Question
from tobiishi.journeys.kept import Walked
from tobiishi.journeys.why import why
from tobiishi.languages import Language
from tobiishi.user_ids import FriendId
from tobiishi.words import Sentence, in_words

router = APIRouter(
    prefix="/api/friends",
    tags=["friends"],
    dependencies=[Authorised],
    responses=answers(401, 404, 422, 503),
)


class ToldSentence(Described):
    """A sentence, in words and as what it says."""

    code: str
    """What it says, for programs; a code never changes."""
    params: dict[str, Any]
    """What it says it of. A part that is a sentence itself has a `code` and `params`, too."""
    text: str
    """The sentence in words."""


class JourneyFacts(Described):
    """The journey that a paragraph is about."""

    scenario: str
    """The scenario's name."""
    title: str
    """What marketers call the scenario."""
    version: int
    """The version that it goes through."""
    entry: int
    """Which of the friend's journeys through the scenario it is, from 1."""
    timezone: str
    """The time zone in which it is told."""
    started_at: datetime
    """When it began."""
    ended_at: datetime | None
    """When it ended; null while it goes on."""
    outcome: str | None
    """How it ended; null while it goes on."""
    workflow_id: str
    """Its workflow in Temporal, which may be forgotten by now."""


class DeliveryFacts(Described):
    """The message that a paragraph is about."""

    message: str
    """Its name in the scenario."""
    status: DeliveryStatus
    """What became of it."""
    step: str
    """The step of the scenario that sends it."""
    claimed_at: datetime
    """When the journey came to send it."""
    settled_at: datetime | None
    """When it was known what became of it; null until then."""
    retry_key: str
    """The X-Line-Retry-Key that every try of it carries."""
    request_id: str | None
    """The X-Line-Request-Id of LINE's answer; null where there was none."""
    message_ids: list[str]
    """LINE's ids of what was sent."""


class WhyParagraph(Described):
    """An answer, or a part of one, that stands for itself."""

    text: str
    """The whole paragraph."""
    sentences: list[ToldSentence]
    """The same, sentence by sentence."""
    scenario: str | None
    """The scenario that it is about; null where it is about none."""
    journey: JourneyFacts | None
    """The journey that it is about; null where there was none."""
    delivery: DeliveryFacts | None
    """The message that it is about; null where it was not sent."""


class Explanation(Described):
    """Why a friend got a message, or did not."""

    channel: str
    """The LINE channel whose friend they are."""
    friend: str
    """Their LINE user id."""
    display_name: str | None
    """Their name in LINE's profile; null until LINE has told."""
    lang: Language
    """The language that it is told in."""
    text: str
    """The whole answer: its paragraphs, with an empty line between them."""
    paragraphs: list[WhyParagraph]
    """The answer, paragraph by paragraph."""


@router.get("/{friend}/why", summary="Why a friend got a message, or did not, in words")
async def explain(
    response: Response,
    friend: FriendId,
    context: InContext,
    language: InLanguage,
    channel: InChannel = DEFAULT_CHANNEL,
    message: Annotated[
        str | None,
        Query(
            description="The message, by its name; where left out, the last one that they got.",
            max_length=64,
            pattern=r"^[^\x00]*$",
        ),
    ] = None,
    scenario: Annotated[
        str | None,
        Query(
            description="Only this scenario, by its name; without a message, their last journey "
            "through it, or why they are not in it.",
            max_length=64,
            pattern=r"^[^\x00]*$",
        ),
    ] = None,
    every: Annotated[
        bool,
        Query(
            alias="all",
            description="Each journey, or each time that the message was sent: a paragraph each.",
        ),
    ] = False,
) -> Explanation:
    """From the database alone: true also after Temporal has forgotten the journey.

    What is not kept any more is said to be unknown.
    """
    question = Question(message=message or None, scenario=scenario or None, every=every)
    # One state of the database: a journey that goes on meanwhile is told of as of one moment.
    async with (
        context.database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await context.channels.get(connection, channel)
        person, paragraphs = await why(
            connection,
            channel,
            friend,
            question,
            known=context.versions,
            now=context.database.now(),
        )
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language"
    worded = [_paragraph(paragraph, language) for paragraph in paragraphs]
    return Explanation(
        channel=channel,
        friend=person.friend,
        display_name=person.display_name,
        lang=language,
        text="\n\n".join(each.text for each in worded),
        paragraphs=worded,
    )


def _paragraph(paragraph: Paragraph, language: Language) -> WhyParagraph:
    sentences = [_sentence(each, language) for each in paragraph.sentences]
    between = "" if language == "ja" else " "
    return WhyParagraph(
        text=between.join(each.text for each in sentences),
        sentences=sentences,
        scenario=paragraph.scenario,
        journey=_journey(paragraph.walked) if paragraph.walked else None,
        delivery=_delivery(paragraph.delivery) if paragraph.delivery else None,
    )


def _sentence(sentence: Sentence, language: Language) -> ToldSentence:
    return ToldSentence(**sentence.as_dict(), text=in_words(sentence, language))


def _journey(walked: Walked) -> JourneyFacts:
    journey, ref = walked.journey, walked.journey.ref
    return JourneyFacts(
        scenario=ref.scenario,
        title=walked.scenario.title,
        version=ref.version,
        entry=ref.entry,
        timezone=walked.scenario.timezone,
        started_at=ref.started_at,
        ended_at=journey.ended_at,
        outcome=journey.outcome,
        workflow_id=ref.workflow_id,
    )


def _delivery(delivery: Delivery) -> DeliveryFacts:
    return DeliveryFacts(
        message=delivery.message,
        status=delivery.status,
        step=delivery.step,
        claimed_at=delivery.claimed_at,
        settled_at=delivery.settled_at,
        retry_key=str(delivery.retry_key),
        request_id=delivery.request_id,
        message_ids=delivery.message_ids,
    )
