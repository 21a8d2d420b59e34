"""A class at once, on loopback: everybody logs in, starts a server and runs a lesson.

    .venv-hub/bin/python tests/load/run.py --learners 20

Every learner is what a browser would be: a login form, cookies, a kernel over a websocket, a
notebook that is saved, a teacher's link that is followed. At the end all ask for too much memory.
Nobody may be lost, and all that was started is gone at the end, however it comes.
"""

import argparse
import asyncio
import contextlib
import ctypes
import json
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
from yarl import URL

ROOT = Path(__file__).parents[2]
LESSON = "course/08_input_gradients.ipynb"
TOO_MUCH = "import numpy as np\nnp.ones(2**28).sum()"  # 2 GB, where the hub allows 1
SET_CHILD_SUBREAPER = 36  # of prctl(2)


@dataclass
class Visit:
    """What one learner met: seconds until the server and for the lesson, and its errors."""

    name: str
    start: float = 0.0
    lesson: float = 0.0
    errors: int = 0


class Learner:
    """A browser of our own, logged in as one learner."""

    def __init__(self, web, address, name):
        self.web, self.address, self.name = web, address, name
        self.server = f"{address}/user/{name}"

    def token(self, path):
        """What a form or a request has to repeat, of the cookie that this path gets."""
        return self.web.cookie_jar.filter_cookies(URL(f"{self.address}{path}"))["_xsrf"].value

    async def log_in(self, password):
        """Fill in the form of the hub, which starts the server."""
        async with self.web.get(f"{self.address}/hub/login") as answer:
            answer.raise_for_status()
        form = {"username": self.name, "password": password, "_xsrf": self.token("/hub/")}
        async with self.web.post(f"{self.address}/hub/login", data=form) as answer:
            answer.raise_for_status()

    async def wait_for_server(self):
        """Ask for JupyterLab until it is there, as the page that waits does."""
        while True:
            async with self.web.get(f"{self.server}/lab") as answer:
                if answer.ok and str(answer.url).startswith(f"{self.server}/lab"):
                    return
            await asyncio.sleep(0.5)

    async def ask(self, method, path, **options):
        """An answer of the learner's server, as JupyterLab asks for it."""
        headers = {"X-XSRFToken": self.token(f"/user/{self.name}/")}
        url = f"{self.server}/api/{path}"
        async with self.web.request(method, url, headers=headers, **options) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def run_lesson(self):
        """Run all cells in a kernel of their own and save; returns the outputs that are errors."""
        lesson = (await self.ask("GET", f"contents/{LESSON}"))["content"]
        kernel = await self.ask("POST", "kernels", json={"name": "python3"})
        channels = Channels(self, kernel["id"])
        cells = [cell for cell in lesson["cells"] if cell["cell_type"] == "code"]
        for cell in cells:
            cell["outputs"] = await execute(channels, cell["source"])
        refused = await execute(channels, TOO_MUCH)
        assert "MemoryError" in refused[-1].get("ename", ""), "memory is not limited"
        lesson["metadata"]["learner"] = self.name
        await self.ask("PUT", f"contents/{LESSON}", json={"type": "notebook", "content": lesson})
        return [o for cell in cells for o in cell["outputs"] if o["output_type"] == "error"]

    async def follow_link(self, handout):
        """Open nbgitpuller's link to a handout, and wait until it lies beside the course."""
        query = {"repo": str(handout), "branch": "main", "targetpath": "handout"}
        link = f"{self.address}/hub/user-redirect/git-pull"
        async with self.web.get(link, params=query) as answer:
            answer.raise_for_status()
            assert str(answer.url).startswith(f"{self.server}/git-pull"), answer.url
        async with self.web.get(f"{self.server}/git-pull/api", params=query) as answer:
            await answer.read()  # it ends when git has ended
        await self.ask("GET", "contents/handout/week1.txt")


class Channels:
    """The websocket to a kernel. As in JupyterLab, one that breaks is opened again under the same
    name, and the server sends what was missed.
    """

    def __init__(self, learner, kernel):
        self.learner, self.session, self.socket = learner, uuid.uuid4().hex, None
        self.url = f"{learner.server}/api/kernels/{kernel}/channels"

    async def _open(self):
        if self.socket is None or self.socket.closed:
            token = self.learner.token(f"/user/{self.learner.name}/")
            query = {"session_id": self.session, "_xsrf": token}
            self.socket = await self.learner.web.ws_connect(self.url, params=query, max_msg_size=0)

    async def send(self, message):
        await self._open()
        await self.socket.send_json(message)

    async def receive(self):
        """The next message, as a dict; those of widgets are left out."""
        while True:
            await self._open()
            answer = await self.socket.receive()
            if answer.type is aiohttp.WSMsgType.TEXT:
                return json.loads(answer.data)
            if answer.type is not aiohttp.WSMsgType.BINARY:
                print(f"{self.learner.name} connects again: {answer.type.name} {answer.data!r}")
                await self.socket.close()


async def execute(channels, source):
    """Run a cell in a kernel; returns its outputs, as a notebook stores them."""
    request = {"code": source, "silent": False, "store_history": True, "allow_stdin": False}
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
    header |= {"session": "load", "username": "learner", "date": ""}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": request}
    await channels.send(message | {"channel": "shell", "buffers": []})
    outputs = []
    while True:
        heard = await channels.receive()
        if heard["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        kind, content = heard["msg_type"], heard["content"]
        if kind in ("stream", "display_data", "execute_result", "error"):
            content.pop("transient", None)
            outputs.append({"output_type": kind, **content})
        if kind == "status" and content["execution_state"] == "idle":
            return outputs


async def visit(address, name, password, handout):
    """All that one learner does. Raises what keeps them from it."""
    begin = time.monotonic()
    jar = aiohttp.CookieJar(unsafe=True)  # of an address in numbers, too
    async with aiohttp.ClientSession(cookie_jar=jar) as web:
        learner = Learner(web, address, name)
        await learner.log_in(password)
        await learner.wait_for_server()
        start = time.monotonic() - begin
        errors = await learner.run_lesson()
        lesson = time.monotonic() - begin - start
        await learner.follow_link(handout)
        return Visit(name, start, lesson, len(errors))


class Hub:
    """The hub of deploy/, in a folder of its own; `stop()` leaves nothing of it running."""

    def __init__(self, folder):
        self.folder, self.password = folder, secrets.token_hex(8)
        self.handout = a_handout(folder / "handout")
        ports = free_ports(3)
        self.address = f"http://127.0.0.1:{ports[0]}"
        variables = {
            "CLASS_FOLDER": str(folder),
            "CLASS_PASSWORD": self.password,
            "CLASS_ADMIN_PASSWORD": secrets.token_hex(16),
            "CLASS_ADDRESS": self.address,
            "LOAD_CONFIG": str(ROOT / "deploy" / "jupyterhub_config.py"),
            "LOAD_PORTS": f"{ports[1]} {ports[2]}",
        }
        config = Path(__file__).with_name("jupyterhub_config.py")
        command = [sys.executable, "-m", "jupyterhub", "-f", config]
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=os.environ | variables, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    async def wait(self):
        """Until it answers."""
        async with aiohttp.ClientSession() as web:
            while self.process.poll() is None:
                with contextlib.suppress(aiohttp.ClientError):
                    async with web.get(f"{self.address}/hub/health") as answer:
                        if answer.ok:
                            return
                await asyncio.sleep(0.2)
        raise RuntimeError(f"the hub did not start: {self.log()}")

    def log(self):
        """The end of what the hub says."""
        return (self.folder / "log").read_text(encoding="utf-8")[-3000:]

    def stop(self):
        """End the hub, then whatever it left running; returns how many that were."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # who is impatient would stop the stopping
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=30)
        left = psutil.Process().children(recursive=True)
        running = [each for each in left if each.status() != psutil.STATUS_ZOMBIE]
        for process in running:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=10)
        return len(running)


def a_handout(folder):
    """A teacher's own repository, for a link to it; returns its folder."""
    folder.mkdir()
    (folder / "week1.txt").write_text("Read lesson 06.\n", encoding="utf-8")
    teacher = ["-c", "user.name=teacher", "-c", "user.email=teacher@example.org"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Week 1"]):
        subprocess.run(["git", *teacher, *command], cwd=folder, check=True)
    return folder


def free_ports(count):
    """Ports of loopback that nobody uses at this moment."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def usage():
    """{kind: (MB, seconds of a core) of every process}; memory that is shared is shared out."""
    kinds = {"hub": [], "proxy": [], "server": [], "kernel": []}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            used = process.cpu_times()
            size = process.memory_full_info().pss / 1e6
            kinds[kind_of(process.cmdline())].append((size, used.user + used.system))
    return kinds


def kind_of(command):
    """What a process is to a class."""
    text = " ".join(command)
    if "ipykernel" in text:
        return "kernel"
    if "jupyterhub-singleuser" in text:
        return "server"
    return "proxy" if "configurable-http-proxy" in text else "hub"


def report(visits, kinds, seconds):
    """Print what it took."""
    for word, values in (
        ("server after", [each.start for each in visits]),
        ("lesson took", [each.lesson for each in visits]),
    ):
        middle = statistics.median(values)
        print(f"{word:14}{min(values):6.1f} {middle:6.1f} {max(values):6.1f} s (min median max)")
    for kind, used in kinds.items():
        size, cpu = map(statistics.fmean, zip(*used, strict=True))
        print(f"{kind:14}{len(used):6} × {size:.0f} MB, {cpu:.1f} s of a core")
    sizes, cpus = zip(*kinds["server"], *kinds["kernel"], strict=True)
    print(
        f"a learner took {sum(sizes) / len(visits):.0f} MB and "
        f"{sum(cpus) / len(visits):.1f} s of a core; all of it took {seconds:.0f} s"
    )


def saved(folder, name):
    """Whether the learner's copy on disk is the one they saved, with outputs below its cells."""
    path = folder / "learners" / name / LESSON
    notebook = json.loads(path.read_text(encoding="utf-8"))
    shown = [cell for cell in notebook["cells"] if cell.get("outputs")]
    return notebook["metadata"].get("learner") == name and len(shown) > 10


async def a_class(hub, learners, seconds):
    """Let a class come all at once; returns how many were lost."""
    begin = time.monotonic()
    names = [f"learner{number:02}" for number in range(learners)]
    async with asyncio.timeout(seconds):
        await hub.wait()
        print(f"{learners} learners come to {hub.address}", flush=True)
        visiting = [visit(hub.address, name, hub.password, hub.handout) for name in names]
        results = await asyncio.gather(*visiting, return_exceptions=True)
    visits = [each for each in results if isinstance(each, Visit)]
    if visits:
        report(visits, usage(), time.monotonic() - begin)
    for name, result in zip(names, results, strict=True):
        if isinstance(result, BaseException):
            print(f"{name} was lost: {result!r}")
        elif result.errors or not saved(hub.folder, name):
            print(f"{name}: {result.errors} cells failed, saved: {saved(hub.folder, name)}")
    whole = [each for each in visits if not each.errors and saved(hub.folder, each.name)]
    return learners - len(whole)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--learners", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=600, help="after which it gives up")
    wanted = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # as Ctrl-C: through `finally`
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1)  # what a server leaves behind is ours
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        hub = Hub(Path(folder))
        try:
            lost = asyncio.run(a_class(hub, wanted.learners, wanted.seconds))
        except TimeoutError:
            sys.exit(f"not done after {wanted.seconds:.0f} s: {hub.log()}")
        finally:
            left = hub.stop()
    print(f"{lost} learners lost; the hub left {left} processes running")
    sys.exit(bool(lost))


if __name__ == "__main__":
    main()
