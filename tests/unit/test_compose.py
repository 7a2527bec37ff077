"""The production shape: no engine runs it here, so what can be read from it is checked."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tobiishi.local.temporal_server import RETENTION
from tobiishi.settings import Settings

ROOT = Path(__file__).parents[2]

#: Names that are not ours: Temporal's clients, its server's template, the Postgres image.
OTHERS = {
    "TEMPORAL_ADDRESS",
    "TEMPORAL_NAMESPACE",
    "TEMPORAL_DEFAULT_NAMESPACE",
    "DB",
    "DB_PORT",
    "POSTGRES_SEEDS",
    "POSTGRES_USER",
    "POSTGRES_PWD",
    "SQL_PASSWORD",
    "BIND_ON_IP",
    "DYNAMIC_CONFIG_FILE_PATH",
    "NUM_HISTORY_SHARDS",
    "POSTGRES_DB",
    "POSTGRES_PASSWORD",
    "RETENTION",  # read by our create-namespace.sh
}
#: What an operator sets for compose alone.
ONLY_COMPOSE = {"POSTGRES_PASSWORD", "TEMPORAL_POSTGRES_PASSWORD"}
OURS = {Settings.variable(field) for field in Settings.model_fields}


@pytest.fixture(scope="module")
def compose() -> Any:
    return YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def test_every_variable_is_one_that_somebody_reads(compose: Any) -> None:
    for name, service in compose["services"].items():
        known = OTHERS | OURS if service["image"] == "tobiishi" else OTHERS
        assert set(service.get("environment", {})) <= known, name


def test_every_variable_to_set_is_documented() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{(\w+)", text))
    assert asked <= OURS | ONLY_COMPOSE | {"TEMPORAL_NAMESPACE"}
    deploying = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    for name in re.findall(r"\$\{(\w+):\?", text):
        assert f"`{name}`" in deploying


def test_secrets_have_no_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for name, rest in re.findall(r"\$\{(\w*(?:PASSWORD|TOKEN|SECRET)\w*)(.*?)\}", text):
        assert rest == ":-" or rest.startswith(":?"), name


def test_parts_wait_for_what_they_need(compose: Any) -> None:
    services = compose["services"]
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in services, name
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[needed], needed
    for name in ("starter", "worker", "postgres", "temporal", "temporal-postgres"):
        assert "healthcheck" in services[name]
        assert services[name]["restart"] == "unless-stopped"
    assert services["worker"]["deploy"]["replicas"] > 1


def test_data_lies_in_named_volumes_and_mounts_exist(compose: Any) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists()
            else:
                assert source in compose["volumes"]
    for name in ("postgres", "temporal-postgres"):
        assert compose["services"][name]["volumes"]


def test_what_can_not_be_changed_later(compose: Any) -> None:
    services = compose["services"]
    assert services["temporal"]["environment"]["NUM_HISTORY_SHARDS"] == 512
    assert services["temporal-namespace"]["environment"]["RETENTION"] == f"{RETENTION.days}d"


def test_what_the_image_copies_exists() -> None:
    for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY"):
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source


@pytest.mark.parametrize("script", sorted((ROOT / "deploy").rglob("*.sh")), ids=lambda p: p.name)
def test_scripts_can_be_parsed(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)
