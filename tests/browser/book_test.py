"""The site of docs/: every page is there, every link of it leads somewhere, and a word that is sought is found.

Usage: book_test.py SITE [--browser [FOLDER]]; pictures are left in FOLDER. SITE is what .ci/book makes.
What a newcomer gets wrong: tests/docs.rs looks at the pages as they are written, this at what a reader is given.
"""

import os
import re
import sys
import unittest
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from webdriver import Browser

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SITE = PICTURES = None


class Page(HTMLParser):
    """What a page can be linked at, and what it links to."""

    def __init__(self, path):
        super().__init__()
        self.places, self.links = set(), []
        with open(path, encoding="utf-8") as file:
            self.feed(file.read())

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.places.update(known[key] for key in ("id", "name") if known.get(key))
        self.links += [known[key] for key in ("href", "src") if known.get(key)]


class Written(unittest.TestCase):
    def test_every_page_of_the_summary_is_there(self):
        with open(os.path.join(ROOT, "docs/SUMMARY.md"), encoding="utf-8") as file:
            named = re.findall(r"\]\(([^)]+)\.md\)", file.read())
        self.assertGreater(len(named), 15)
        for name in named:
            self.assertTrue(os.path.exists(os.path.join(SITE, "docs", name + ".html")), name)

    def test_every_link_leads_somewhere(self):
        folder = os.path.join(SITE, "docs")
        # A page that is told of no address does not know where it is shown.
        names = [name for name in os.listdir(folder) if name.endswith(".html") and name != "404.html"]
        pages = {name: Page(os.path.join(folder, name)) for name in names}
        dead = []
        for name, page in pages.items():
            for link in page.links:
                parts = urlsplit(link)
                if parts.scheme or parts.netloc:
                    continue
                target = os.path.normpath(unquote(parts.path)) if parts.path else name
                places = pages[target].places if target in pages else {unquote(parts.fragment)}
                if not os.path.exists(os.path.join(folder, target)) or parts.fragment and unquote(parts.fragment) not in places:
                    dead.append(f"{name}: {link}")
        self.assertEqual(dead, [])


class Sought(unittest.TestCase):
    """In a browser."""

    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()

    def test_a_word_is_sought_and_its_page_opened(self):
        self.browser.open(os.path.join(os.path.abspath(SITE), "docs/index.html"))
        self.browser.click("#mdbook-search-toggle")
        for word, page in [("activator", "glossary.html"), ("lease_timeout", "scenario.html"), ("cooldown", "metrics.html")]:
            self.browser.js("document.querySelector('#mdbook-searchbar').value = ''")
            self.browser.type("#mdbook-searchbar", word)
            found = []
            for _ in range(200):
                found = self.browser.js("return [...document.querySelectorAll('#mdbook-searchresults a')].map(a => a.href)")
                if any(page in link for link in found):
                    break
                self.browser.frames(5)
            self.assertTrue(any(page in link for link in found), f"{word}: {found}")
        if PICTURES:
            self.browser.picture(os.path.join(PICTURES, "book-search.png"))
        self.browser.js("document.querySelector('#mdbook-searchresults a').click()")
        self.browser.frames(5)
        self.assertIn("highlight=", self.browser.js("return location.search"))
        self.assertEqual(self.browser.complaints(), [])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    SITE, cases = sys.argv[1], ["Written"]
    if "--browser" in sys.argv:
        PICTURES = sys.argv[3] if len(sys.argv) > 3 else None
        cases.append("Sought")
    unittest.main(argv=[sys.argv[0], *cases])
