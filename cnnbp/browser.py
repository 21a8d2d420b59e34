"""What a kernel in the browser needs; IPython loads it there as an extension."""

import numpy as np


def load_ipython_extension(shell):
    """Let numpy's print options hold from cell to cell.

    A kernel in the browser runs every cell in a context of its own, with which they would go.

    shell  IPython's InteractiveShell

    >>> from IPython.core.interactiveshell import InteractiveShell
    >>> load_ipython_extension(InteractiveShell())
    """
    options = np.get_printoptions()
    shell.events.register("pre_run_cell", lambda _: np.set_printoptions(**options))
    shell.events.register("post_run_cell", lambda _: options.update(np.get_printoptions()))
