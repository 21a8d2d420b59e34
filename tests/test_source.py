"""show_source puts the package's own code into a lesson."""

import inspect

import pytest

import cnnbp
from cnnbp import show_source


def test_code_is_the_package_s_own():
    lines = show_source(cnnbp.conv2d_loops).code.splitlines()
    assert [line for line in lines if line not in inspect.getsource(cnnbp.conv2d_loops)] == []
    assert lines[0].startswith("def conv2d_loops(")


def test_names_the_file_and_leaves_the_docstring_to_help():
    text = repr(show_source(cnnbp.relu_backward))
    assert text.startswith("# cnnbp/activation.py\ndef relu_backward(dz, x):\n")
    assert '"""' not in text


def test_docstring_on_request():
    code = show_source(cnnbp.relu, docstring=True).code
    assert all(line.strip() in code for line in cnnbp.relu.__doc__.splitlines())


def test_is_highlighted_python_in_a_notebook():
    markdown = show_source(cnnbp.ReLU)._repr_markdown_()
    assert markdown.startswith("```python\n# cnnbp/activation.py\nclass ReLU")
    assert markdown.endswith("\n```")


@pytest.mark.parametrize("thing", [len, 3, "relu"])
def test_what_has_no_source_is_named(thing):
    with pytest.raises(TypeError, match="has no Python source; give a function or class"):
        show_source(thing)
