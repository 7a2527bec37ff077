"""`tobiishi scenario test`: the messages of a scenario's file to a named tester."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

import typer

from tobiishi.channels.channels import DEFAULT
from tobiishi.cli import out
from tobiishi.cli.options import Channel, File
from tobiishi.cli.people import friend_id
from tobiishi.cli.server import Failed, call

_PATH = "/api/scenarios/test"
#: How often the starter is asked to send, where LINE can't be reached.
_TRIES = 2
#: Messages go one after another.
_TIMEOUT_SECONDS = 300

_STATUSES = {
    "sent": "sent",
    "refused": "LINE refused it",
    "unknown": "LINE gave no answer, and may have sent it",
    "failed": "not sent",
    "not_tried": "not tried",
}


def send_test(
    file: File,
    to: Annotated[
        str,
        typer.Option(help="The tester: a friend, by LINE user id or name.", show_default=False),
    ],
    message: Annotated[
        list[str] | None, typer.Option(help="Only this message; may be given several times.")
    ] = None,
    friend: Annotated[
        str | None,
        typer.Option(
            help='As for a friend of whom this is known alone: "gender=female,rank=gold".'
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    lang: Annotated[str, typer.Option(help="Of the mark: ja or en.")] = "ja",
    channel: Channel = DEFAULT,
) -> None:
    """Send the messages of a file to a tester at once, marked as a test.

    They count in LINE's quota alone: nothing of them is in any figure.
    """
    params: dict[str, Any] = {"channel": channel, "to": friend_id(to, channel), "lang": lang}
    params |= {"message": message} if message else {}
    params |= {"friend": friend} if friend is not None else {}
    content = file.read_bytes()
    planned = call("POST", _PATH, params=params, content=content)
    _announce(planned)
    if not yes:
        typer.confirm("Send them?", abort=True)
    params["key"] = str(uuid4())
    for _ in range(_TRIES):  # Under one key: LINE takes none of them twice.
        done = call("POST", _PATH, params=params, content=content, timeout=_TIMEOUT_SECONDS)
        if all(push["status"] in ("sent", "refused") for push in done["pushes"]):
            break
    for push in done["pushes"]:
        reason = f": {push['reason']}" if push["reason"] else ""
        out.line(f"{push['message']}: {_STATUSES[push['status']]}{reason}")
    if any(push["status"] != "sent" for push in done["pushes"]):
        raise typer.Exit(1)


def _announce(planned: Any) -> None:
    """What it takes. Raises `Failed` where that is more than is left."""
    names = ", ".join(dict.fromkeys(push["message"] for push in planned["pushes"]))
    whom = planned["to"] + (f" ({planned['display_name']})" if planned["display_name"] else "")
    out.line(f"{planned['scenario']} to {whom}: {names}")
    uses, left = planned["uses"], planned["left"]
    takes = f"{uses} push{'es' if uses > 1 else ''} = {uses} message{'s' if uses > 1 else ''}"
    if left is not None:
        out.line(f"{takes} of {left:,} left this month")
        if uses > left:
            raise Failed("that is more than is left; name fewer with --message")
    elif planned["is_quota_known"]:
        out.line(f"{takes}; this month's are not limited")
    else:
        out.line(f"{takes}; LINE does not tell how many are left this month")
