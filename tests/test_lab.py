"""JupyterLab as `make lab` sets it up, seen in a browser."""


def test_a_lesson_opens_trusted_and_nothing_pops_up(page, lab):
    page.goto(f"{lab}/00_start_here.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=60_000)
    page.wait_for_timeout(2000)  # a pop-up needs a moment to appear
    assert page.locator(".Toastify__toast, .jp-Dialog").all_inner_texts() == []
    assert page.locator("[title^='Notebook trusted']").count() == 1
