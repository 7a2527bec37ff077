"""/docs, which is to work where nothing outside can be reached."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from tests.integration.front_door.knocking import Door


async def test_the_reference_loads_everything_from_here(door: Door) -> None:
    page = await door.http.get("/docs")
    assert page.status_code == 200
    assert "//" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy
    assert "unsafe" not in policy
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 4
    for address in loaded:
        answer = await door.http.get(urljoin("/docs", address))
        assert answer.status_code == 200, address
        assert answer.content


async def test_the_page_has_no_script_in_itself(door: Door) -> None:
    page = await door.http.get("/docs")
    assert re.findall(r"<script[^>]*>([^<]+)", page.text) == []
    assert " on" not in re.sub(r">[^<]*<", "><", page.text)


async def test_the_script_shows_what_the_starter_tells_of_itself(door: Door) -> None:
    script = await door.http.get("/docs/start.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert 'url: "openapi.json"' in script.text
    told = await door.http.get("/openapi.json")
    assert told.json()["info"]["title"] == "Tobiishi"
