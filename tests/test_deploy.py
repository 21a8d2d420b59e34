"""What deploy/ says is what docs/class.md says, and can be read. `make load` starts it."""

import asyncio
import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a hub needs Linux")

ROOT = Path(__file__).parents[1]
CONFIG = (ROOT / "deploy" / "jupyterhub_config.py").read_text(encoding="utf-8")
VALUES = yaml.safe_load((ROOT / "deploy" / "values.yaml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "class.md").read_text(encoding="utf-8")
SET = set(re.findall(r"\bc\.(\w+)\.", CONFIG))  # the classes that are configured
START = "/lab/tree/course/00_start_here.ipynb"
PASSWORDS = {"CLASS_PASSWORD": "a class of 20", "CLASS_ADMIN_PASSWORD": "t" * 32}
LTI = {
    "LTI_ISSUER": "https://platform.example",
    "LTI_AUTHORIZE_URL": "https://platform.example/auth",
    "LTI_JWKS_ENDPOINT": "https://platform.example/jwks",
    "LTI_CLIENT_ID": "7",
    "LTI_USERNAME_KEY": "email",
}


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """What the configuration sets, as JupyterHub executes it, under these variables."""

    def execute(**variables):
        for name, value in {"CLASS_FOLDER": str(tmp_path / "class"), **variables}.items():
            monkeypatch.setenv(name, value)
        c = SimpleNamespace(**{name: SimpleNamespace() for name in SET})
        exec(compile(CONFIG, "jupyterhub_config.py", "exec"), {"get_config": lambda: c})
        return c

    return execute


def test_a_hub_with_passwords(configured, tmp_path):
    c = configured(**PASSWORDS)
    assert c.JupyterHub.authenticator_class == "shared-password"
    assert c.SharedPasswordAuthenticator.user_password == PASSWORDS["CLASS_PASSWORD"]
    assert c.Spawner.default_url == START
    assert c.Spawner.environment["OPENBLAS_NUM_THREADS"] == "1"
    for path in (c.JupyterHub.cookie_secret_file, c.JupyterHub.db_url.partition("///")[2]):
        assert Path(path).parent == tmp_path / "class"
    assert (tmp_path / "class").stat().st_mode & 0o077 == 0


def test_a_hub_without_a_password_does_not_start(configured):
    with pytest.raises(KeyError, match="CLASS_PASSWORD"):
        configured()


def test_a_hub_behind_a_learning_platform(configured):
    c = configured(**LTI)
    assert c.JupyterHub.authenticator_class.endswith("LTI13Authenticator")
    assert set(vars(c.LTI13Authenticator)) == set(VALUES["hub"]["config"]["LTI13Authenticator"])
    assert not vars(c.SharedPasswordAuthenticator)


def test_learners_get_copies_of_their_own_and_keep_them(configured, tmp_path):
    c = configured(**PASSWORDS)
    assert (
        c.SimpleLocalProcessSpawner.home_dir_template == f"{tmp_path}/class/learners/{{username}}"
    )
    spawner = SimpleNamespace(home_dir=str(tmp_path / "ada"))
    asyncio.run(c.Spawner.pre_spawn_hook(spawner))
    lesson = tmp_path / "ada" / "course" / "00_start_here.ipynb"
    assert lesson.exists()
    mine = lesson.read_text(encoding="utf-8").replace("Start here", "Started")
    lesson.write_text(mine, encoding="utf-8")
    asyncio.run(c.Spawner.pre_spawn_hook(spawner))
    assert lesson.read_text(encoding="utf-8") == mine


def test_a_learner_on_kubernetes_gets_what_one_on_a_machine_gets():
    learner = VALUES["singleuser"]
    assert learner["defaultUrl"] == START
    assert learner["memory"] == {"guarantee": "256M", "limit": "1G"}
    assert "cnnbp course" in learner["lifecycleHooks"]["postStart"]["exec"]["command"][-1]
    assert VALUES["cull"] == {"enabled": True, "timeout": 3600, "every": 300}


def test_the_page_names_what_the_configuration_reads():
    read = set(re.findall(r'environ(?:\.get\(|\[)"(\w+)"', CONFIG))
    assert set(re.findall(r"\b(?:CLASS|LTI)_[A-Z_]+\b", PAGE)) == read
    said = CONFIG.split('"""')[1]
    assert {name for name in read if name.startswith("CLASS_")} <= set(re.findall(r"\w+", said))


def test_the_page_has_the_numbers_of_the_values():
    memory = VALUES["singleuser"]["memory"]
    assert f"{memory['guarantee'][:-1]} MB for sure and {memory['limit'][0]} GB at most" in PAGE


def test_what_is_to_be_replaced_is_in_capitals():
    settings = VALUES["hub"]["config"]["LTI13Authenticator"]
    for name in ("issuer", "authorize_url", "jwks_endpoint"):
        assert settings[name].startswith("https://PLATFORM")
