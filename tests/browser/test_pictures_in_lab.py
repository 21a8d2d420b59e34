"""Pictures in JupyterLab: pointing at a cell shows what made it, and keys do no harm."""

import numpy as np
import pytest

from cnnbp import explain_conv2d
from cnnbp.pictures.arithmetic import arithmetic
from cnnbp.pictures.svg import number

ARRAYS = """
rng = np.random.default_rng(0)
x, w, dz = (rng.integers(-8, 9, shape) / 8 for shape in [(1, 1, 6, 6), (1, 1, 3, 3), (1, 1, 2, 2)])
"""
CELLS = [
    f"""import numpy as np
from cnnbp.explorers import show
from cnnbp.pictures import draw_conv2d_dw, draw_conv2d_dx
{ARRAYS}
show(draw_conv2d_dw(dz, x, w, stride=2))""",
    "show(draw_conv2d_dx(dz, x, w, (0, 0, 2, 2), stride=2))",
]
DW, DX = range(2)


@pytest.fixture(scope="module")
def arrays():
    scope = {"np": np}
    exec(ARRAYS, scope)
    return {name: scope[name] for name in ("x", "w", "dz")}


@pytest.fixture(autouse=True)
def pointer_away(notebook):
    """Every test begins with nothing pointed at, nothing focused."""
    notebook.page.mouse.move(5, 5)
    notebook.page.evaluate("document.activeElement.blur()")


def test_at_rest_the_chosen_cell_is_shown(notebook, arrays):
    cell = explain_conv2d("dw", (0, 0, 0, 0), stride=2, **arrays)
    assert arithmetic(cell) in notebook.shown(DW)


@pytest.mark.parametrize("tap", [(0, 0), (1, 2), (2, 2)])
def test_pointing_at_a_cell_of_dw_shows_its_arithmetic_alone(notebook, arrays, tap):
    notebook.picture(DW).locator(f".c{tap[0] * 3 + tap[1]}").first.hover()
    cell = explain_conv2d("dw", (0, 0, *tap), stride=2, **arrays)
    assert arithmetic(cell) in notebook.shown(DW)
    assert notebook.shown(DW).count("dw[") == 1


def test_pointing_at_a_pixel_of_dx_shows_its_products_on_both_sides(notebook, arrays):
    notebook.picture(DX).locator(".c8").first.hover()
    cell = explain_conv2d("dx", (0, 0, 1, 2), stride=2, **arrays)
    assert arithmetic(cell) in notebook.shown(DX)
    letters = "".join(notebook.picture(DX).locator(".k8 .letter").all_text_contents())
    assert sorted(letters) == sorted("ab" * 4)  # in dz, w, the rotated w, and the spread dz


def test_pointing_at_a_factor_shows_what_it_made(notebook, arrays):
    dz = notebook.picture(DX).get_by_role("radio", name="dz[0,0,0,1] = ").first
    dz.hover()
    assert "went back to 9 cells: a " in notebook.shown(DX)
    product = arrays["dz"][0, 0, 0, 1] * arrays["w"][0, 0, 0, 0]
    assert f"= {number(product, 4)} → dx[0,0,0,2]" in notebook.shown(DX)


def test_arrow_keys_walk_through_a_table(notebook, arrays):
    notebook.picture(DW).locator(".c4").first.focus()
    notebook.page.keyboard.press("ArrowRight")
    assert arithmetic(explain_conv2d("dw", (0, 0, 1, 2), stride=2, **arrays)) in notebook.shown(DW)
    focused = "getComputedStyle(document.activeElement).outlineStyle"
    assert notebook.page.evaluate(focused) == "solid"


def test_a_focused_cell_is_shown(notebook, arrays):
    notebook.picture(DW).locator(".c4").first.focus()
    assert arithmetic(explain_conv2d("dw", (0, 0, 1, 1), stride=2, **arrays)) in notebook.shown(DW)


def test_keys_are_commands_in_a_notebook_but_not_on_a_focused_cell(notebook):
    cells = notebook.page.locator(".jp-CodeCell").count()
    notebook.picture(DW).locator(".c4").first.focus()
    notebook.page.keyboard.press("b")
    notebook.page.locator(".jp-InputPrompt").nth(DX).click()
    notebook.page.keyboard.press("b")  # inserts a cell below; had the first key done so, too,
    notebook.until(lambda: notebook.page.locator(".jp-CodeCell").count() > cells)
    assert notebook.page.locator(".jp-CodeCell").count() == cells + 1  # there would be two


def test_pointing_at_one_picture_leaves_the_other_alone(notebook):
    at_rest = notebook.shown(DX)
    notebook.picture(DW).locator(".c3").first.hover()
    assert notebook.shown(DX) == at_rest


def test_the_console_shows_no_error(notebook):
    assert notebook.errors == []
