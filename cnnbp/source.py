"""The package's own code, shown in a lesson."""

import inspect
import re
import textwrap

from cnnbp.shape import complaint


class Source:
    """The source of a function or class: highlighted in a notebook, plain elsewhere."""

    def __init__(self, code, where):
        self.code, self.where = code, where

    def __repr__(self):
        return f"# {self.where}\n{self.code}"

    def _repr_markdown_(self):
        return f"```python\n{self!r}\n```"


def show_source(function, *, docstring=False):
    """Show the package's own code of a function or class, so that a lesson need not repeat it.

    function   a function or class of cnnbp
    docstring  True keeps the docstring, which help(function) shows as well
    returns    Source, to be the last line of a cell

    Raises TypeError for something that has no Python source.

    >>> from cnnbp import relu
    >>> show_source(relu)
    # cnnbp/activation.py
    def relu(x):
        (x,) = floats(x=x)
        return np.maximum(x, 0)
    """
    try:
        code = textwrap.dedent(inspect.getsource(function)).rstrip()  # a method is indented
        module = inspect.getmodule(function).__name__
    except (TypeError, OSError, AttributeError):
        raise complaint(
            TypeError, f"{function!r} has no Python source; give a function or class"
        ) from None
    if not docstring:
        code = re.sub(r'\n\s*"""[\s\S]*?"""', "", code, count=1)
    return Source(code, module.replace(".", "/") + ".py")
