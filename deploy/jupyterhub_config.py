"""A hub for a class on one Linux machine: jupyterhub -f deploy/jupyterhub_config.py

docs/class.md says what it needs and how many learners fit. It is set by variables:

CLASS_FOLDER          learners' files, the hub's memory of them and its secrets; the hub's own
CLASS_PASSWORD        of all learners, 8 characters or more
CLASS_ADMIN_PASSWORD  of the user "teacher", 32 characters or more
CLASS_ADDRESS         where it is served: http://:8000
CLASS_TLS_KEY         path of the key, and
CLASS_TLS_CERT        path of the certificate, where nothing before the hub does TLS
LTI_ISSUER            and the other four below, to let a learning platform name the learners
"""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import cnnbp
from cnnbp.course import lay_out

c = get_config()
folder = Path(os.environ["CLASS_FOLDER"]).resolve()
folder.mkdir(mode=0o700, parents=True, exist_ok=True)
executables, package = Path(sys.executable).parent, Path(cnnbp.__file__).parent

c.JupyterHub.bind_url = os.environ.get("CLASS_ADDRESS", "http://:8000")
c.JupyterHub.ssl_key = os.environ.get("CLASS_TLS_KEY", "")
c.JupyterHub.ssl_cert = os.environ.get("CLASS_TLS_CERT", "")
c.JupyterHub.db_url = f"sqlite:///{folder / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(folder / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(folder / "proxy.pid")
proxy = Path(sys.prefix, "node_modules", ".bin", "configurable-http-proxy")
c.ConfigurableHTTPProxy.command = [str(proxy) if proxy.exists() else proxy.name]

# Who comes in
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {"teacher"}
if "LTI_ISSUER" in os.environ:
    c.JupyterHub.authenticator_class = "ltiauthenticator.lti13.auth.LTI13Authenticator"
    c.LTI13Authenticator.issuer = os.environ["LTI_ISSUER"]
    c.LTI13Authenticator.authorize_url = os.environ["LTI_AUTHORIZE_URL"]
    c.LTI13Authenticator.jwks_endpoint = os.environ["LTI_JWKS_ENDPOINT"]
    c.LTI13Authenticator.client_id = {os.environ["LTI_CLIENT_ID"]}
    c.LTI13Authenticator.username_key = os.environ["LTI_USERNAME_KEY"]
else:
    c.JupyterHub.authenticator_class = "shared-password"
    c.SharedPasswordAuthenticator.user_password = os.environ["CLASS_PASSWORD"]
    c.SharedPasswordAuthenticator.admin_password = os.environ["CLASS_ADMIN_PASSWORD"]

# What a learner gets: a server that ends an hour after its last use, and 1 GB for each process,
# so that an array that is too large is a MemoryError and not the end of the class.
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(folder / "learners" / "{username}")
limit = ["prlimit", f"--data={2**30}"] if shutil.which("prlimit") else []
c.Spawner.cmd = [*limit, str(executables / "jupyterhub-singleuser")]
c.Spawner.args = [
    "--ServerApp.shutdown_no_activity_timeout=3600",
    "--MappingKernelManager.cull_idle_timeout=3600",
]
c.Spawner.default_url = "/lab/tree/course/00_start_here.ipynb"
c.Spawner.start_timeout = c.Spawner.http_timeout = 180  # when all of a class come at once
c.JupyterHub.concurrent_spawn_limit = 100
c.Spawner.environment = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "JUPYTER_CONFIG_PATH": str(package / "lab"),
    "JUPYTER_PATH": str(package / "lab"),
    "JUPYTER_PREFER_ENV_PATH": "1",
}


async def own_copies(spawner):
    """The learner's own lessons, in course/; what they changed is never overwritten."""
    await asyncio.to_thread(lay_out, Path(spawner.home_dir, "course"))


c.Spawner.pre_spawn_hook = own_copies
