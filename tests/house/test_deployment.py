"""The compose file, the image and the docs name only what the product has."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from reminders.config import BASE_DIR, SETTINGS
from reminders.management.cli import COMMANDS
from reminders.management.worker import worker

OF_OTHERS = {"postgres", "redis"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    compose: dict[str, Any] = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text(encoding="utf-8"))
    found: dict[str, Any] = compose["services"]
    return found


def test_every_service_runs_a_command_that_exists(services: dict[str, Any]) -> None:
    commands = {name: service["command"][0] for name, service in services.items() if name not in OF_OTHERS}
    assert set(commands.values()) <= set(COMMANDS)
    assert {"web", "worker", "scheduler", "sandbox"} <= set(commands.values())


def test_workers_serve_every_queue(services: dict[str, Any]) -> None:
    served: set[str] = set()
    for name in ("worker-urgent", "worker-send", "worker-think"):
        command = services[name]["command"]
        served |= set(command[command.index("--queues") + 1].split(","))
    default = next(option.default for option in worker.params if option.name == "queues")
    assert served == set(str(default).split(",")) == {"urgent", "send", "think", "tidy"}


def test_compose_sets_only_known_settings_and_holds_no_secret(services: dict[str, Any]) -> None:
    known = {setting.name for setting in SETTINGS}
    secret = ("KEY", "TOKEN", "PASSWORD", "DATABASE_URL")
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            assert name in OF_OTHERS or variable in known
            if variable.endswith(secret):
                is_asked_for, is_left_out = ":?" in str(value), str(value).endswith(":-}")
                assert is_asked_for or is_left_out, f"{variable} of {name} has a value or a default"


def test_the_product_runs_without_rights_it_does_not_need(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if name not in OF_OTHERS:
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
    image = (BASE_DIR / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER [1-9][0-9]*$", image, flags=re.MULTILINE)


def test_ports_are_open_to_this_host_alone(services: dict[str, Any]) -> None:
    for service in services.values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")


def test_the_image_holds_all_top_level_modules() -> None:
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    image = (BASE_DIR / "Dockerfile").read_text(encoding="utf-8")
    ignored = (BASE_DIR / ".dockerignore").read_text(encoding="utf-8")
    for module in project["tool"]["setuptools"]["py-modules"]:
        assert f"{module}.py" in image
        assert f"!{module}.py" in ignored


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_in_the_running_page(command: str) -> None:
    page = (BASE_DIR / "docs" / "running.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| `reminders {command}\b", page, flags=re.MULTILINE)


def test_every_make_target_says_what_it_does() -> None:
    makefile = (BASE_DIR / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    documented = re.findall(r"^([a-z-]+):.*## \S", makefile, flags=re.MULTILINE)
    assert sorted(phony.split()) == sorted(documented)


def test_lock_files_name_no_package_index() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (BASE_DIR / name).read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in re.sub(r"^ *#.*$", "", text, flags=re.MULTILINE)
