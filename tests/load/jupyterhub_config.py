"""The hub of deploy/ as the load test starts it: on loopback, its inner ports free ones."""

import os

c = get_config()
load_subconfig(os.environ["LOAD_CONFIG"])
hub, proxy = os.environ["LOAD_PORTS"].split()
c.JupyterHub.hub_port = int(hub)
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{proxy}"
if not os.geteuid():  # as in a container
    c.Spawner.args = [*c.Spawner.args, "--allow-root"]
