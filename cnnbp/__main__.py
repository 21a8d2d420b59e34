"""The command `cnnbp`: a learner's own copies of the lessons, open in JupyterLab."""

import os
import signal
import socket
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from cnnbp.course import PACKAGE, RECORD, CourseError, lay_out, lessons_folder

USAGE = """\
cnnbp [FOLDER] [OPTIONS]

Lays the lessons out in FOLDER (course, if none is named) and opens them in JupyterLab. They are
your copies: what you write in them and what you run is never overwritten. To begin one anew,
delete or rename yours and run this again.

  --no-lab       lay the lessons out, and open nothing
  --help         show this
  --version      show the version

All other options are JupyterLab's own:

  --no-browser   start JupyterLab, and show the address to open
  --port=8899    serve it there
  --allow-root   run it as root
"""

START = "00_start_here.ipynb"

# JupyterLab's options, which it would take seconds to ask for: a misspelled one it would ignore.
FLAGS = {
    *("-y", "--allow-root", "--autoreload", "--collaborative", "--core-mode", "--custom-css"),
    *("--debug", "--dev-mode", "--expose-app-in-browser", "--extensions-in-dev-mode"),
    *("--generate-config", "--no-browser", "--no-script", "--script", "--show-config"),
    *("--show-config-json", "--skip-dev-build", "--splice-source", "--watch"),
}
WITH_A_VALUE = {
    *("--app-dir", "--browser", "--certfile", "--client-ca", "--config", "--ip", "--keyfile"),
    *("--log-level", "--notebook-dir", "--port", "--port-retries", "--pylab"),
}


def main():
    """Run the command; returns its exit code. Trouble is one sentence, without a traceback."""
    try:
        return _run(sys.argv[1:])
    except CourseError as error:
        print(f"cnnbp: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(arguments):
    if {"-h", "--help"} & set(arguments):
        print(USAGE, end="")
        return 0
    if "--version" in arguments:
        print(f"cnnbp {_version()}")
        return 0
    only_lay_out = "--no-lab" in arguments
    folder, options = read([each for each in arguments if each != "--no-lab"])
    said = lay_out(folder)
    print(*said, sep="\n", end="\n" * bool(said), flush=True)
    return 0 if only_lay_out else _open(Path(folder).resolve(), options)


def _version():
    try:
        return version("cnnbp")
    except PackageNotFoundError:
        return "(not installed)"


def read(arguments):
    """The folder that is named, and JupyterLab's options, of a command's arguments.

    Raises CourseError for a second folder and for an option that JupyterLab does not know.

    >>> read(["--port", "8899", "my_course", "--no-browser"])
    ('my_course', ['--port', '8899', '--no-browser'])
    """
    folders, options, rest = [], [], iter(arguments)
    for argument in rest:
        name, equals, _ = argument.partition("=")
        if not argument.startswith("-"):
            folders.append(argument)
        elif name in FLAGS:
            options.append(argument)
        elif name in WITH_A_VALUE or "." in name:  # such as --ServerApp.password
            options += [argument] if equals else [argument, next(rest, "")]
        else:
            raise CourseError(f"{name} is no option of cnnbp or JupyterLab; see: cnnbp --help")
    if len(folders) > 1:
        raise CourseError(f"{' and '.join(folders)} are more than one folder; name one")
    here = "." if Path(RECORD).exists() else "course"  # called from within a course, or not
    return (folders or [here])[0], options


def _need_jupyterlab():
    if not find_spec("jupyterlab"):
        raise CourseError(
            "JupyterLab, which opens the lessons, is not installed here; install it with: "
            f"{sys.executable} -m pip install jupyterlab ipywidgets tqdm"
        )


def _open(folder, options):
    """Run JupyterLab in the folder until it ends; returns its exit code."""
    _need_jupyterlab()
    _need_port(options)
    # Without -P, a file of the folder from which this was called could hide one of Python's own.
    command = [sys.executable, "-P", "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    command += [f"--LabApp.default_url=/lab/tree/{START}", *options]
    # A Ctrl-C reaches JupyterLab by itself, which asks whether to stop; we wait for its answer.
    signal.signal(signal.SIGINT, lambda *_: None)
    lab = subprocess.Popen(command, env=environment(folder))
    signal.signal(signal.SIGTERM, lambda *_: lab.terminate())
    # Meanwhile matplotlib looks for fonts, which it would announce in the first lesson else.
    import matplotlib.font_manager  # noqa: F401

    code = lab.wait()
    return code if code >= 0 else 128 - code


def environment(folder):
    """The variables with which JupyterLab runs: the course's settings, and nothing installed."""
    lab = str(PACKAGE / "lab")
    variables = {
        # The arrays are small: more threads slow numpy down and change the last bits of a sum.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        # Which tabs were open belongs to this course, not to JupyterLab everywhere.
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / ".cnnbp_workspaces"),
        **os.environ,
        "JUPYTER_CONFIG_PATH": _before("JUPYTER_CONFIG_PATH", lab),
        "JUPYTER_PATH": _before("JUPYTER_PATH", lab),  # an extension of JupyterLab lies there, too
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    if lessons_folder().parent == PACKAGE.parent:  # a checkout: kernels must find the package, too
        variables["PYTHONPATH"] = _before("PYTHONPATH", str(PACKAGE.parent))
    return variables


def _before(variable, folder):
    """The folders of an environment variable, and this one before them."""
    return os.pathsep.join(filter(None, [folder, os.environ.get(variable)]))


def _need_port(options):
    """A port that is named must be free; JupyterLab would silently take the next one."""
    for option, following in zip(options, [*options, ""][1:], strict=True):
        name, _, value = option.partition("=")
        if name in ("--port", "--ServerApp.port"):
            port = value or following
            try:
                with socket.socket() as probe:
                    if os.name != "nt":  # there it would take a port from another program
                        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", int(port)))
            except (ValueError, OverflowError):
                raise CourseError(f"{name} takes a number up to 65535, not {port!r}") from None
            except OSError as error:
                reason = f"port {port} cannot be used: {error.strerror}"
                raise CourseError(f"{reason}; name another, such as: {name}=8899") from None


if __name__ == "__main__":
    sys.exit(main())
