"""The command `cnnbp`: what it says, and JupyterLab as it starts it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.metadata import version
from pathlib import Path

import pytest
from jupyter_client import BlockingKernelClient
from jupyterlab.labapp import LabApp
from lab import opened

from cnnbp.__main__ import FLAGS, USAGE, WITH_A_VALUE, environment, main

ROOT = Path(__file__).parents[1]
SETTINGS = json.loads(
    (ROOT / "cnnbp/lab/labconfig/default_setting_overrides.json").read_text(encoding="utf-8")
)


def cnnbp(folder, *arguments):
    """The command, run to its end in a folder, where a package jupyterlab may lie."""
    paths = os.pathsep.join(map(str, [folder, ROOT]))
    return subprocess.run(
        [sys.executable, "-P", "-m", "cnnbp", *map(str, arguments)],
        cwd=folder, env=os.environ | {"PYTHONPATH": paths},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.fixture
def trouble(tmp_path, monkeypatch, capsys):
    """What the command, called in an empty folder, complains of, in one line."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["cnnbp", *arguments])
        assert main() == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("cnnbp: ")
        return line

    return run


def test_help_and_version(tmp_path):
    assert cnnbp(tmp_path, "--help").stdout == USAGE
    assert cnnbp(tmp_path, "--version").stdout == f"cnnbp {version('cnnbp')}\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["--no-lab"], ["--no-lab", "mine"], ["mine", "--no-lab"]])
def test_lessons_can_be_laid_out_without_opening_them(tmp_path, arguments):
    finished = cnnbp(tmp_path, *arguments)
    folder = "mine" if "mine" in arguments else "course"
    assert (finished.returncode, finished.stderr) == (0, "")
    assert (tmp_path / folder / "00_start_here.ipynb").exists()


def test_in_a_course_it_lays_out_no_course_within(tmp_path):
    cnnbp(tmp_path, "--no-lab")
    (tmp_path / "course" / "00_start_here.ipynb").unlink()
    finished = cnnbp(tmp_path / "course", "--no-lab")
    assert finished.stdout == "00_start_here.ipynb was gone, and is laid out.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--no-brwser"], "--no-brwser is no option of cnnbp or JupyterLab"),
        (["--nonsense=3"], "--nonsense is no option"),
        (["--"], "-- is no option"),
        (["one", "--port", "8899", "two"], "one and two are more than one folder"),
        (["--port", "many"], "--port takes a number up to 65535, not 'many'"),
        (["--port=65536"], "not '65536'"),
        (["--port"], "not ''"),
        (["taken"], "taken is, or lies in, a file; name another folder"),
    ],
)
def test_trouble_is_one_sentence(trouble, arguments, sentence):
    Path("taken").write_text("mine")
    assert sentence in trouble(*arguments)


@pytest.mark.parametrize("form", ["--port={}", "--port {}", "--ServerApp.port={}"])
def test_a_port_in_use_is_named(trouble, form):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} cannot be used: " in trouble(*form.format(port).split())


def test_it_knows_the_options_that_jupyterlab_has():
    flags, aliases = ({f"--{name}" for name in names} for names in (LabApp.flags, LabApp.aliases))
    assert flags - {"--y"} | {"-y"} == FLAGS
    assert aliases - {"--watch"} == WITH_A_VALUE  # which is a flag, too


@pytest.fixture
def made_up(tmp_path):
    """A folder with a package jupyterlab that does what it is told."""
    (tmp_path / "jupyterlab").mkdir()
    (tmp_path / "jupyterlab" / "__init__.py").touch()

    def does(code):
        (tmp_path / "jupyterlab" / "__main__.py").write_text(code, encoding="utf-8")
        return tmp_path

    return does


def test_all_other_options_are_jupyterlabs(made_up):
    folder = made_up("import sys; print(*sys.argv[1:], sep='\\n')")
    options = ["--no-browser", "--port", "0", "--allow-root", "--ServerApp.allow_origin=x"]
    finished = cnnbp(folder, "mine", *options)
    _, root, start, *passed = finished.stdout.splitlines()
    assert passed == options
    assert root == f"--ServerApp.root_dir={folder / 'mine'}"
    assert start == "--LabApp.default_url=/lab/tree/00_start_here.ipynb"


@pytest.mark.parametrize(
    ("code", "expected"), [("0", 0), ("3", 3), ("os.kill(os.getpid(), 9)", 137)]
)
def test_jupyterlabs_exit_code_is_passed_on(made_up, code, expected):
    folder = made_up(f"import os, sys; sys.exit({code})")
    assert cnnbp(folder).returncode == expected


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_who_ends_the_command_ends_jupyterlab(made_up):
    finished = cnnbp(made_up("import os, time; os.kill(os.getppid(), 15); time.sleep(60)"))
    assert finished.returncode == 128 + signal.SIGTERM


def test_what_the_user_has_set_goes_with_the_courses_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "theirs")
    monkeypatch.setenv("JUPYTER_PATH", "theirs")
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    variables = environment(tmp_path)
    for name in ("JUPYTER_CONFIG_PATH", "JUPYTER_PATH"):
        assert variables[name].split(os.pathsep) == [str(ROOT / "cnnbp/lab"), "theirs"]
    assert (variables["OMP_NUM_THREADS"], variables["OPENBLAS_NUM_THREADS"]) == ("4", "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("learner")


@pytest.fixture(scope="module")
def address(folder):
    with opened(folder) as (address, _):
        yield address


def ask(address, **content):
    """The answer of JupyterLab's server, as Python values."""
    data = json.dumps(content).encode() if content else None
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_jupyterlab_opens_at_the_first_lesson(address):
    with urllib.request.urlopen(f"{address}/", timeout=30) as answer:
        assert answer.url == f"{address}/lab/tree/00_start_here.ipynb"


def test_the_lessons_are_in_jupyterlabs_folder(address):
    names = {each["name"] for each in ask(f"{address}/api/contents")["content"]}
    assert {path.name for path in (ROOT / "notebooks").glob("*.ipynb")} <= names


@pytest.mark.parametrize("plugin", SETTINGS)
def test_jupyterlab_has_the_courses_settings(address, plugin):
    schema = ask(f"{address}/lab/api/settings/{plugin}")["schema"]
    in_force = {name: schema["properties"][name]["default"] for name in SETTINGS[plugin]}
    assert in_force == SETTINGS[plugin]


CODE = """
from cnnbp.exercises import relu_gradient
assert relu_gradient.check(lambda dz, x: dz * (x > 0))
"""


def test_progress_lands_in_the_course(address, folder):
    """A lesson's kernel, run as JupyterLab runs it."""
    wanted = {"path": "00_start_here.ipynb", "name": "", "type": "notebook"}
    session = ask(f"{address}/api/sessions", **wanted, kernel={"name": "python3"})
    connection = folder / "runtime" / f"kernel-{session['kernel']['id']}.json"
    client = BlockingKernelClient(connection_file=str(connection))
    client.load_connection_file()
    client.start_channels(hb=False, stdin=False)
    try:
        client.wait_for_ready(timeout=60)
        quiet = {"allow_stdin": False, "output_hook": lambda _: None}
        reply = client.execute_interactive(CODE, timeout=60, **quiet)
    finally:
        client.stop_channels()
    assert reply["content"]["status"] == "ok", reply["content"]
    progress = folder / "course" / ".cnnbp_progress.json"
    assert json.loads(progress.read_text(encoding="utf-8")) == {"solved": ["relu_gradient"]}


def test_nothing_is_installed_anywhere(address, folder):
    ask(f"{address}/lab/api/settings")
    began = (folder / "home").stat().st_mtime
    for place in (Path(sys.prefix, "etc"), Path(sys.prefix, "share"), folder / "config"):
        assert not [path for path in place.rglob("*.json*") if path.stat().st_mtime > began]


@pytest.mark.skipif(os.name == "nt", reason="signals of Windows are others")
def test_ctrl_c_twice_stops_it_cleanly(tmp_path):
    log, (keyboard, terminal) = tmp_path / "log", os.openpty()  # only in one JupyterLab asks
    with opened(tmp_path, stdin=terminal) as (_, process):
        os.killpg(process.pid, signal.SIGINT)  # to all of the terminal's processes
        deadline = time.monotonic() + 30
        while "Shut down this Jupyter server" not in log.read_text(encoding="utf-8"):
            assert time.monotonic() < deadline, "it has not asked whether to stop"
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=30) == 0
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
    os.close(keyboard)
    os.close(terminal)
    assert "Traceback" not in log.read_text(encoding="utf-8")
