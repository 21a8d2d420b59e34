"""The course as the command opens it, seen in a browser."""

from lab import opened


def test_the_first_lesson_opens_shows_pictures_when_run_and_nothing_pops_up(page, tmp_path):
    with opened(tmp_path) as (address, _):
        page.goto(address)
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
        page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=60_000)
        page.wait_for_timeout(2000)  # a pop-up needs a moment to appear
        assert page.url.startswith(f"{address}/lab/tree/00_start_here.ipynb")
        assert page.locator(".Toastify__toast, .jp-Dialog").all_inner_texts() == []
        assert page.locator(".jp-OutputArea-output").count() == 0
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        page.locator(".widget-html-content .cnnbp svg").first.wait_for(timeout=60_000)
        page.close()
