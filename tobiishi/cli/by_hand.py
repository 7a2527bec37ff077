"""`tobiishi friend enter`, `tobiishi friend leave`: one friend and one scenario, by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import out
from tobiishi.cli.options import Channel, Friend
from tobiishi.cli.people import friend_id
from tobiishi.cli.server import Failed, call, path_of
from tobiishi.cli.times import local

Scenario = Annotated[str, typer.Argument(help="The scenario's name.", metavar="scenario")]
Because = Annotated[str, typer.Option(help="Why; the journey keeps it.", show_default=False)]


def enter(
    friend: Friend,
    scenario: Scenario,
    because: Because,
    again: Annotated[
        bool, typer.Option("--again", help="Also where they were in it before, whatever reentry.")
    ] = False,
    channel: Channel = DEFAULT,
) -> None:
    """Enter one friend into a scenario by hand, whoever starts it otherwise."""
    friend = friend_id(friend, channel)
    body = {"reason": because, "again": again}
    try:
        done = call(
            "POST",
            path_of("scenarios", scenario, "friends", friend),
            params={"channel": channel},
            json=body,
        )
    except Failed as error:
        # The starter answers in the words of its API.
        raise Failed(str(error).replace("pass `again`", "pass --again")) from error
    name = f"{scenario} version {done['version']}"
    if done["waits"]:
        out.line(f"{friend} enters {name} once their former journey, which is ending, has ended")
        return
    started = local(done["started_at"], timezone=done["timezone"])
    if not done["is_new"]:
        out.line(f"{friend} entered {name} at {started} with the same words; nothing more was done")
        return
    out.line(f"{friend} entered {name} ({done['why']})")
    out.line(f"first: {done['first']}, {local(done['first_at'], timezone=done['timezone'])}")


def leave(friend: Friend, scenario: Scenario, because: Because, channel: Channel = DEFAULT) -> None:
    """Take one friend out of a scenario by hand: nothing more of it is sent to them."""
    friend = friend_id(friend, channel)
    done = call(
        "DELETE",
        path_of("scenarios", scenario, "friends", friend),
        params={"channel": channel, "reason": because},
    )
    if done["called_off"]:
        out.line(f"{friend} was about to enter {scenario}, and does not")
    if done["stopped"]:
        out.line(f"{friend} leaves {scenario} version {done['version']} ({done['because']})")
    elif done["ended_at"]:
        how = f"{done['outcome']}: {done['because']}" if done["because"] else done["outcome"]
        ended = local(done["ended_at"], timezone=done["timezone"])
        out.line(f"{friend} is not in {scenario}: their journey ended at {ended} ({how})")
    else:
        out.line(f"{friend} is leaving {scenario} already ({done['because']})")
