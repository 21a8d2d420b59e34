"""The course as the command opens it, seen in a browser."""

from lab import opened


def test_the_first_lesson_opens_trusted_and_nothing_pops_up(page, tmp_path):
    with opened(tmp_path) as (address, _):
        page.goto(address)
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
        page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=60_000)
        page.wait_for_timeout(2000)  # a pop-up needs a moment to appear
        assert page.url.startswith(f"{address}/lab/tree/00_start_here.ipynb")
        assert page.locator(".Toastify__toast, .jp-Dialog").all_inner_texts() == []
        assert page.locator("[title^='Notebook trusted']").count() == 1
        page.close()
