"""The codec endpoint, as the Temporal UI asks it from another origin."""

from __future__ import annotations

import httpx
import pytest
from cryptography.fernet import Fernet
from google.protobuf import json_format
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload, Payloads

from tests.integration.front_door.conftest import Open
from tests.integration.front_door.knocking import Door
from tobiishi.codec import Codec
from tobiishi.settings import Settings

KEY, OTHER = (Fernet.generate_key().decode() for _ in range(2))
UI = "http://127.0.0.1:8233"
SAID = Payload(metadata={"encoding": b"json/plain"}, data='"山田花子"'.encode())


def body_of(*payloads: Payload) -> str:
    return json_format.MessageToJson(Payloads(payloads=payloads))


async def ask(door: Door, url: str, body: str) -> httpx.Response:
    return await door.http.post(url, content=body, headers={"Origin": UI})


async def test_the_ui_sees_what_is_encrypted(opened: Open, settings: Settings) -> None:
    (sealed,) = await Codec(SecretStr(KEY)).encode([SAID])
    async with opened(settings.model_copy(update={"payload_keys": SecretStr(KEY)})) as door:
        url = (await door.api("GET", "/codec")).raise_for_status().json()["url"]

        asked = await door.http.options(f"{url}/decode", headers={"Origin": UI})
        assert asked.status_code == 204
        assert "x-namespace" in asked.headers["access-control-allow-headers"]

        shown = await ask(door, f"{url}/decode", body_of(sealed, SAID))
        assert shown.headers["access-control-allow-origin"] == UI
        assert json_format.Parse(shown.text, Payloads()) == Payloads(payloads=[SAID, SAID])

        hidden = await ask(door, f"{url}/encode", body_of(SAID))
        assert "山田" not in hidden.text
        assert "json/plain" not in hidden.text
        back = await ask(door, f"{url}/decode", hidden.text)
        assert json_format.Parse(back.text, Payloads()) == Payloads(payloads=[SAID])


async def test_nobody_else_does(opened: Open, settings: Settings) -> None:
    (sealed,) = await Codec(SecretStr(KEY)).encode([SAID])
    async with opened(settings.model_copy(update={"payload_keys": SecretStr(KEY)})) as door:
        assert (await door.http.get("/api/codec")).status_code == 401
        url = (await door.api("GET", "/codec")).json()["url"]
        for forged in (url[:-1], url + "A", "/codec/x", "/codec/dWk", "/codec/%00"):
            assert (await ask(door, f"{forged}/decode", body_of(sealed))).status_code == 404


@pytest.mark.parametrize(
    "body", ["", "{", "null", '{"payloads": 1}', '{"payloads": [{"data": 1}]}']
)
async def test_what_is_no_payload_is_refused(opened: Open, settings: Settings, body: str) -> None:
    async with opened(settings.model_copy(update={"payload_keys": SecretStr(KEY)})) as door:
        url = (await door.api("GET", "/codec")).json()["url"]
        assert (await ask(door, f"{url}/decode", body)).status_code == 400


async def test_a_lost_key_is_told(opened: Open, settings: Settings) -> None:
    (sealed,) = await Codec(SecretStr(OTHER)).encode([SAID])
    async with opened(settings.model_copy(update={"payload_keys": SecretStr(KEY)})) as door:
        url = (await door.api("GET", "/codec")).json()["url"]
        answer = await ask(door, f"{url}/decode", body_of(sealed))
        assert answer.status_code == 400
        assert "TOBIISHI_PAYLOAD_KEYS" in answer.text


async def test_without_keys_there_is_none(door: Door) -> None:
    answer = await door.api("GET", "/codec")
    assert answer.status_code == 404
    assert "TOBIISHI_PAYLOAD_KEYS is not set" in answer.text
