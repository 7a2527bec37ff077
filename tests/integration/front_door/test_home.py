"""What the starter's own address shows."""

from __future__ import annotations

import re

from tests.integration.front_door.knocking import SECRET, TOKEN, Door
from tobiishi.settings import Settings


async def test_the_starters_address_leads_on(door: Door) -> None:
    page = await door.http.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "ステップ配信" in page.text
    assert "Step messages" in page.text
    led_to = {"/" + address for address in re.findall(r'href="([^"]+)"', page.text)}
    assert led_to == {"/docs", "/openapi.json", "/healthz", "/readyz"}
    for address in led_to - {"/readyz"}:
        assert (await door.http.get(address)).status_code == 200, address
    # Temporal is away, and it says so.
    assert (await door.http.get("/readyz")).status_code == 503


async def test_it_tells_nothing_of_this_deployment(door: Door, settings: Settings) -> None:
    page = await door.http.get("/")
    assert settings.secret_key
    assert settings.database_url
    for secret in (SECRET, TOKEN, settings.secret_key.get_secret_value(), settings.database_url):
        assert secret not in page.text
    assert "//" not in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
