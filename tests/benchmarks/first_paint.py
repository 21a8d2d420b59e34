"""From the request of a web page to what a reader sees first, with the pages on loopback.

Needs a browser. A page's size is what it takes compressed, as web servers send it.
"""

import gzip
import statistics
import sys
import tempfile
from pathlib import Path

import website
from lab import BROWSERS, installed_browser
from loopback import files_served
from playwright.sync_api import sync_playwright

VISITS = 5
REACH = 500, 1200  # ms, and kB
LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
PAINTED = """() => new Promise(done => new PerformanceObserver(list => {
    const [first] = list.getEntriesByName('first-contentful-paint')
    if (first) done(first.startTime)
}).observe({type: 'paint', buffered: true}))"""


def main():
    path = installed_browser()
    if path is None:
        print(f"first paint: needs a browser, none of {', '.join(BROWSERS)} is installed")
        return
    print(f"first paint of a page, {VISITS} visits     median     worst   reach      size   reach")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Path(folder) / "site"
        website.write_site(site, LESSONS)
        browser = playwright.chromium.launch(executable_path=path)
        with files_served(site) as address:
            for page in sorted(site.glob("*.html")):
                times = [visit(browser, f"{address}/{page.name}") for _ in range(VISITS)]
                middle, worst = statistics.median(times), max(times)
                size = len(gzip.compress(page.read_bytes())) / 1000
                print(f"{page.stem:34}{middle:8.0f} ms{worst:7.0f} ms{REACH[0]:5} ms", end="")
                print(f"{size:7.0f} kB{REACH[1]:5} kB", flush=True)
        browser.close()


def visit(browser, address):
    """Milliseconds to the first paint, for somebody who has never been here."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    painted = page.evaluate(PAINTED)
    context.close()
    return painted


if __name__ == "__main__":
    sys.exit(main())
