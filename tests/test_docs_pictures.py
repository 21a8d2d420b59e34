"""The README's pictures are what the package draws today."""

import importlib.util
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("docs_pictures", ROOT / "tools" / "docs_pictures.py")
docs_pictures = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(docs_pictures)


@pytest.mark.parametrize("name", docs_pictures.PICTURES)
def test_committed_picture_is_current(name):
    committed = (ROOT / "docs" / name).read_text(encoding="utf-8")
    drawn = docs_pictures.PICTURES[name]().still + "\n"
    if name in docs_pictures.TRAINED:
        committed, drawn = (re.sub(r"[\d.e−]+", "0", text) for text in (committed, drawn))
        committed, drawn = (re.sub(r"cnnbp-\w+", "", text) for text in (committed, drawn))
    assert committed == drawn
    ET.fromstring(committed)  # and well-formed, for a page that shows it as an image


def test_the_websites_first_picture_is_current():
    committed = (ROOT / "docs" / docs_pictures.LIVE).read_text(encoding="utf-8")
    assert committed == docs_pictures.signature() + "\n"


def test_no_picture_is_left_over():
    assert {path.name for path in (ROOT / "docs").glob("*.svg")} == set(docs_pictures.PICTURES)
