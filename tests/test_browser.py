"""What a kernel in the browser needs."""

from contextvars import copy_context

import numpy as np
from IPython.core.interactiveshell import InteractiveShell

from cnnbp.browser import load_ipython_extension


def test_print_options_hold_where_every_cell_has_a_context_of_its_own():
    shell = InteractiveShell()

    def run(cell):
        copy_context().run(shell.run_cell, cell)

    run("import numpy as np\nnp.set_printoptions(precision=2)")
    run("b = str(np.array([1 / 3]))")
    assert shell.user_ns["b"] == "[0.33333333]"
    load_ipython_extension(shell)
    run("np.set_printoptions(precision=2)")
    run("c = str(np.array([1 / 3]))\n1 / 0")
    run("d = str(np.array([1 / 3]))\nnp.set_printoptions(precision=3)")
    run("e = str(np.array([1 / 3]))")
    assert [shell.user_ns[name] for name in "cde"] == ["[0.33]", "[0.33]", "[0.333]"]
    assert np.get_printoptions()["precision"] == 8
