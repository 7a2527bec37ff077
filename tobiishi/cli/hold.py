"""`tobiishi pause`, `tobiishi resume`, `tobiishi holds`: what is sent, and what waits."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import out
from tobiishi.cli.options import Channel
from tobiishi.cli.people import friend_id
from tobiishi.cli.server import Failed, call, path_of
from tobiishi.cli.times import local

Scenario = Annotated[str | None, typer.Option(help="Only this scenario.")]
Friend = Annotated[str | None, typer.Option(help="Only this friend, by id or name.")]


def pause(
    scenario: Scenario = None,
    friend: Friend = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "paused at the terminal",
    channel: Channel = DEFAULT,
) -> None:
    """Send nothing of the channel, a scenario or to a friend, until it is resumed."""
    path, params = _path(channel, scenario, friend)
    _print(call("POST", f"{path}/pause", params=params, json={"reason": reason}))


def resume(scenario: Scenario = None, friend: Friend = None, channel: Channel = DEFAULT) -> None:
    """Send again; what was held back goes on soon: within as long as it was, at most 6 minutes."""
    path, params = _path(channel, scenario, friend)
    _print(call("POST", f"{path}/resume", params=params))


def holds(channel: Channel = DEFAULT) -> None:
    """What holds sends back now."""
    _print(call("GET", "/api/holds", params={"channel": channel}))


def _path(channel: str, scenario: str | None, friend: str | None) -> tuple[str, dict[str, str]]:
    if scenario and friend:
        raise Failed("--scenario and --friend don't go together; name one")
    if scenario:
        return path_of("scenarios", scenario), {"channel": channel}
    if friend:
        return path_of("friends", friend_id(friend, channel)), {"channel": channel}
    return path_of("channels", channel), {}


def _print(held: Any) -> None:
    for each in held:
        whom = f"{each['scope']} {each['name']}".strip()
        until = f" until {local(each['until'])}" if each["until"] else ""
        out.line(f"{whom}: {each['kind']} since {local(each['since'])}{until}: {each['reason']}")
    if not held:
        out.line("nothing is held back")
