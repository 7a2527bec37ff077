"""Acts of virtual friends on messages: tap, answer, watch, look, unsend.

They cause the webhooks that LINE sends for people's acts
(https://developers.line.biz/en/reference/messaging-api/#action-objects).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator
from starlette.requests import Request
from starlette.routing import Route

from tobiishi.simulator import events, friends, parts, phones, talks
from tobiishi.simulator.answers import Json, Rejection
from tobiishi.simulator.bodies import Body, read
from tobiishi.simulator.friends import Friend
from tobiishi.simulator.platform import JAPAN, Platform, platform_of

_Id = Annotated[str, StringConstraints(min_length=1, max_length=50)]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=5000)]
_Number = Annotated[int, Field(ge=0)]
_Sticker = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]
#: How a date, a time or both are written, by the mode of the picker, and an example.
_FORMATS = {
    "date": ("%Y-%m-%d", "2030-01-01"),
    "time": ("%H:%M", "10:00"),
    "datetime": ("%Y-%m-%dT%H:%M", "2030-01-01T10:00"),
}


class Tap(Body):
    """Which button, link, area or quick reply, by one of the first four."""

    #: Number of the action in the message, as `tap` in the chat gives it.
    index: _Number | None = None
    #: Number of the quick reply.
    quick_reply: _Number | None = None
    #: Of the last message that has such an action, unless `message_id` says of which.
    label: _Text | None = None
    #: The same, of a postback or a datetime picker.
    data: _Text | None = None
    message_id: _Id | None = None
    #: What is picked of a date, a time or both: `2030-01-01`, `10:00`, `2030-01-01T10:00`.
    picked: str | None = None
    #: Whether the address that opens is fetched as LINE's in-app browser does it.
    follow: bool = False

    @model_validator(mode="after")
    def _one_of_four(self) -> Tap:
        given = [self.index, self.quick_reply, self.label, self.data]
        if sum(each is not None for each in given) != 1:
            raise ValueError("give one of index, quickReply, label and data")
        if self.index is not None and self.message_id is None:
            raise ValueError("index needs messageId")
        return self


class Saying(Body):
    """A text, or a sticker."""

    text: _Text | None = None
    package_id: _Sticker | None = None
    sticker_id: _Sticker | None = None
    quoted_message_id: _Id | None = None

    @model_validator(mode="after")
    def _text_or_sticker(self) -> Saying:
        sticker = (self.package_id is not None, self.sticker_id is not None)
        if sticker != ((self.text is None),) * 2:
            raise ValueError("give text, or packageId and stickerId")
        return self


class OfMessage(Body):
    message_id: _Id


@dataclass(frozen=True)
class _Target:
    """The action that is tapped, and where it is."""

    item: talks.Item
    action: dict[str, Any]
    is_quick_reply: bool


async def tap(request: Request) -> Json:
    """Do what a tap does: events are sent, an address opens."""
    platform, friend = _actor(request)
    given = await read(request, Tap)
    target = _target(talks.of(platform, friend.user_id), given)
    action, user_id = target.action, friend.user_id
    now = datetime.fromtimestamp(platform.clock(), JAPAN).replace(tzinfo=None)
    text, webhook_events = _consequences(action, given.picked, now)
    if webhook_events and friend.blocked:
        raise _blocked(friend)
    with platform.store.transaction():
        if target.is_quick_reply:
            talks.answer(platform, user_id, target.item)
        if text:
            talks.add(platform, user_id, {"type": "text", "text": text}, None)
        sent = [_send(platform, user_id, event) for event in webhook_events]
    answer: dict[str, Any] = {"action": action, "events": sent}
    url = action.get("uri", action.get("linkUri"))
    if url is not None:
        answer["url"] = url
    if url is not None and given.follow:
        hops = await phones.fetch(url, phones.browser(friend.device, friend.language))
        answer["hops"] = [hop.as_json() for hop in hops]
    return Json(answer)


async def write(request: Request) -> Json:
    """Write a text or send a sticker, perhaps as an answer to a message."""
    platform, friend = _actor(request)
    given = await read(request, Saying)
    if friend.blocked:
        raise _blocked(friend)
    message: dict[str, Any] = {"type": "text", "text": given.text}
    if given.text is None:
        message = {
            "type": "sticker",
            "packageId": given.package_id,
            "stickerId": given.sticker_id,
            "stickerResourceType": "STATIC",
        }
    if given.quoted_message_id is not None:
        quoted = talks.find(talks.of(platform, friend.user_id), given.quoted_message_id)
        if not quoted.quotable:
            raise Rejection(409, f"LINE can't quote message {quoted.id}")
        message["quotedMessageId"] = quoted.id
    with platform.store.transaction():
        event = _send(platform, friend.user_id, {"type": "message", "message": message})
    return Json(event)


async def unsend(request: Request) -> Json:
    """Take back something that the friend said."""
    platform, friend = _actor(request)
    item = talks.find(talks.of(platform, friend.user_id), request.path_params["message_id"])
    if item.sender != "friend":
        raise Rejection(409, f"message {item.id} is not the friend's own")
    if item.message is None:
        raise Rejection(409, f"message {item.id} is unsent already")
    if friend.blocked:
        raise _blocked(friend)
    with platform.store.transaction():
        event = _send(
            platform, friend.user_id, {"type": "unsend", "unsend": {"messageId": item.id}}
        )
    return Json(event)


async def watch(request: Request) -> Json:
    """Watch a video to its end. LINE sends a webhook where the message has a `trackingId`."""
    platform, friend = _actor(request)
    given = await read(request, OfMessage)
    message = talks.find(talks.of(platform, friend.user_id), given.message_id).message or {}
    if message.get("type") != "video" or not message.get("trackingId"):
        raise Rejection(409, f"message {given.message_id} is not a video with a trackingId")
    if friend.blocked:
        raise _blocked(friend)
    tracking_id = message["trackingId"]
    with platform.store.transaction():
        event = _send(
            platform,
            friend.user_id,
            {"type": "videoPlayComplete", "videoPlayComplete": {"trackingId": tracking_id}},
        )
    return Json(event)


async def look(request: Request) -> Json:
    """Load the images of a message, as LINE does to show it."""
    platform, friend = _actor(request)
    given = await read(request, OfMessage)
    item = talks.find(talks.of(platform, friend.user_id), given.message_id)
    urls = parts.images(item.message or {}) if item.sender == "account" else []
    headers = phones.image_loader(friend.device, friend.language)
    loaded = [(url, await phones.fetch(url, headers)) for url in urls]
    return Json(
        {"images": [{"url": url, "hops": [hop.as_json() for hop in hops]} for url, hops in loaded]}
    )


def _actor(request: Request) -> tuple[Platform, Friend]:
    platform = platform_of(request)
    return platform, friends.known(platform, request.path_params["user_id"])


def _blocked(friend: Friend) -> Rejection:
    return Rejection(
        409, f"{friend.user_id} has blocked the account; POST /_simulator/friends ends it"
    )


def _send(platform: Platform, user_id: str, event: dict[str, Any]) -> dict[str, Any]:
    complete = events.complete(platform, {"userId": user_id, **event})
    platform.courier.post([complete])
    return complete


def _target(items: Sequence[talks.Item], tap: Tap) -> _Target:
    """Find the tapped action. Raises `Rejection`."""
    if tap.message_id is not None:
        item = talks.find(items, tap.message_id)
        looked_at = [item]
    else:
        looked_at = list(reversed(items))
    offered = talks.quick_replies(items)
    for item in looked_at:
        for target, number in _choices(item, offered if item is items[-1] else []):
            wanted = tap.quick_reply if target.is_quick_reply else tap.index
            if number == wanted or _is_named(target.action, tap):
                return target
    if tap.quick_reply is not None:
        raise Rejection(
            409, "there is no such quick reply: they are gone once tapped, or not the last message"
        )
    what = {"index": tap.index, "label": tap.label, "data": tap.data}
    words = ", ".join(f"{name} {value!r}" for name, value in what.items() if value is not None)
    place = f"message {tap.message_id}" if tap.message_id else "the chat"
    raise Rejection(404, f"{place} has nothing to tap with {words}")


def _choices(item: talks.Item, offered: Sequence[dict[str, Any]]) -> Iterator[tuple[_Target, int]]:
    if item.message is None or item.sender == "friend":
        return
    for number, action in enumerate(parts.tappable(item.message)):
        yield _Target(item, action, is_quick_reply=False), number
    for number, action in enumerate(offered):
        yield _Target(item, action, is_quick_reply=True), number


def _is_named(action: dict[str, Any], tap: Tap) -> bool:
    if tap.data is not None:
        return action.get("data") == tap.data
    return tap.label is not None and action.get("label") == tap.label


def _consequences(
    action: dict[str, Any], picked: str | None, now: datetime
) -> tuple[str | None, list[dict[str, Any]]]:
    """Returns what only the chat shows, and LINE's webhook events. Raises `Rejection`."""
    # An area of an imagemap that opens an address has the type, the link behind its video has none.
    kind = action.get("type", "uri")
    if picked is not None and kind != "datetimepicker":
        raise Rejection(409, f"nothing can be picked with a {kind} action; leave picked out")
    if kind == "message":
        return None, [_text(action["text"])]
    if kind == "postback":
        # `text` is deprecated: unlike `displayText`, LINE reports it as a message.
        messages = [_text(action["text"])] if "text" in action else []
        postback = {"type": "postback", "postback": {"data": action["data"]}}
        return action.get("displayText"), [*messages, postback]
    if kind == "datetimepicker":
        params = {action["mode"]: _picked(action, picked, now)}
        postback = {"data": action["data"], "params": params}
        return None, [{"type": "postback", "postback": postback}]
    if kind in ("camera", "cameraRoll"):
        photo = {"type": "image", "contentProvider": {"type": "line"}}
        return None, [{"type": "message", "message": photo}]
    if kind == "location":
        return None, [{"type": "message", "message": dict(_TOKYO)}]
    if kind == "richmenuswitch":
        raise Rejection(409, "a richmenuswitch works in rich menus only")
    return None, []


_TOKYO = {
    "type": "location",
    "title": "東京駅",
    "address": "東京都千代田区丸の内1丁目",
    "latitude": 35.681236,
    "longitude": 139.767125,
}


def _picked(action: dict[str, Any], picked: str | None, now: datetime) -> str:
    """The date, time or both, as LINE writes it; without a choice, what the picker opens at."""
    format_, example = _FORMATS[action["mode"]]
    least, most = (_read_moment(action.get(name), format_) for name in ("min", "max"))
    if picked is None:
        moment = _read_moment(action.get("initial"), format_)
        moment = moment or datetime.strptime(now.strftime(format_), format_)  # noqa: DTZ007
        moment = min(most or moment, moment)
        moment = max(least or moment, moment)
    elif not (given := _read_moment(picked, format_)):
        raise Rejection(422, f"picked: {picked!r} is not a {action['mode']}; write {example}")
    else:
        moment = given
    if (least and moment < least) or (most and moment > most):
        raise Rejection(422, f"picked: {picked!r} is not among what the button lets pick")
    return moment.strftime(format_)


def _read_moment(text: str | None, format_: str) -> datetime | None:
    try:
        # LINE writes the `T` of `initial`, `min` and `max` small or large.
        return datetime.strptime((text or "").upper(), format_)  # noqa: DTZ007 - without a zone
    except ValueError:
        return None


def _text(text: str) -> dict[str, Any]:
    return {"type": "message", "message": {"type": "text", "text": text}}


routes = [
    Route("/_simulator/friends/{user_id}/tap", tap, methods=["POST"]),
    Route("/_simulator/friends/{user_id}/messages", write, methods=["POST"]),
    Route("/_simulator/friends/{user_id}/messages/{message_id}", unsend, methods=["DELETE"]),
    Route("/_simulator/friends/{user_id}/watch", watch, methods=["POST"]),
    Route("/_simulator/friends/{user_id}/look", look, methods=["POST"]),
]
