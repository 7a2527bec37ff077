"""Settings: read from the environment, refused in words, described in one table."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from tobiishi.errors import SettingError
from tobiishi.settings import Settings

ROOT = Path(__file__).parents[2]
TABLE_ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<default>[^|]+) \| (?P<text>[^|]+) \|$", re.M)
# Read by temporalio.envconfig; the names are those of
# https://docs.temporal.io/develop/environment-configuration
TEMPORAL = {
    "TEMPORAL_ADDRESS",
    "TEMPORAL_NAMESPACE",
    "TEMPORAL_API_KEY",
    "TEMPORAL_TLS",
    "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_KEY_PATH",
    "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
    "TEMPORAL_TLS_SERVER_NAME",
    "TEMPORAL_CONFIG_FILE",
    "TEMPORAL_PROFILE",
}


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(Settings.variable(field), raising=False)


def documented() -> dict[str, str]:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    return {row["name"]: row["default"].strip() for row in TABLE_ROW.finditer(text)}


def test_every_setting_is_in_the_table_and_no_other() -> None:
    ours = {Settings.variable(field) for field in Settings.model_fields}
    assert set(documented()) == ours | TEMPORAL


def test_the_table_has_the_defaults() -> None:
    table = documented()
    for name, field in Settings.model_fields.items():
        default = table[Settings.variable(name)]
        if field.default is not None:
            assert default == f"`{field.default}`"


def test_all_are_read_from_their_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOBIISHI_PORT", "9000")
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/tobiishi")
    monkeypatch.setenv("LINE_CHANNEL_ID", "")
    settings = Settings.load()
    assert settings.port == 9000
    assert settings.database_url == "postgresql://db/tobiishi"
    assert settings.line_channel_id is None


def test_a_process_can_hand_its_settings_on(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(port=9000, api_token=SecretStr("hush"), timezone="UTC")
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings.load() == settings


@pytest.mark.parametrize(
    ("environment", "lines"),
    [
        ({"TOBIISHI_PORT": "0"}, [r"TOBIISHI_PORT: .*greater than or equal to 1"]),
        ({"TOBIISHI_TIMEZONE": "Mars"}, [r"TOBIISHI_TIMEZONE: 'Mars' is not a time zone; use "]),
        (
            {"TOBIISHI_PORT": "http", "TOBIISHI_SIMULATOR_PORT": "70000"},
            [r"TOBIISHI_PORT: ", r"TOBIISHI_SIMULATOR_PORT: "],
        ),
        (
            {"LINE_CHANNEL_ACCESS_TOKEN": "token"},
            [r"LINE_CHANNEL_ACCESS_TOKEN is set but LINE_CHANNEL_SECRET is not; set both"],
        ),
        (
            {"LINE_API_BASE_URL": "http://127.0.0.1:8300"},
            [r"LINE_API_BASE_URL is set but LINE_CHANNEL_ACCESS_TOKEN is not"],
        ),
    ],
)
def test_a_wrong_one_is_one_line_that_names_it(
    environment: dict[str, str], lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingError) as refusal:
        Settings.load()
    said = str(refusal.value).splitlines()
    assert len(said) == len(lines)
    for line, pattern in zip(said, lines, strict=True):
        assert re.match(pattern, line)
    assert "hush" not in str(refusal.value)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("https://line.example.com", "https://line.example.com"),
        ("https://line.example.com/", "https://line.example.com"),
        ("https://shop.example:8443/steps//", "https://shop.example:8443/steps"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_public_address_is_kept_without_a_slash(given: str, address: str) -> None:
    assert Settings(public_url=given).public_url == address


@pytest.mark.parametrize(
    "given",
    [
        "http://line.example.com",
        "http://192.168.0.2:8000",
        "http://localhost.example.com",
        "line.example.com",
        "//line.example.com",
        "ftp://line.example.com",
        "https://",
        "https:///l",
        "https://line.example.com?x=1",
        "https://line.example.com/#x",
        "https://user@line.example.com",
        "https://飛び石.example",
        "https://line.example.com/a b",
        "https://line.example.com\n",
        "https://line.example.com:port",
        "https://line.example.com:99999",
        "https://[line",
        "https://" + "x" * 300 + ".example.com",
    ],
)
def test_a_public_address_that_no_link_can_be_made_of_is_refused(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOBIISHI_PUBLIC_URL", given)
    with pytest.raises(SettingError, match="TOBIISHI_PUBLIC_URL: "):
        Settings.load()
