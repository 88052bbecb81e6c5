"""Makes the picture of a report that the documents show: the lease carousel with a chain of causes.

Usage: picture.py SCHEDSIM FILE.png
"""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from webdriver import Browser

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

if len(sys.argv) != 3:
    sys.exit(__doc__)
with tempfile.TemporaryDirectory() as folder:
    page = os.path.join(folder, "report.html")
    words = ["run", "-q", "scenarios/mir-788/lease-carousel.toml", "--report", page]
    subprocess.run([os.path.abspath(sys.argv[1]), *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    browser = Browser()
    try:
        browser.size(1400, 800)
        browser.open(page)
        browser.frames(3)
        # The heart of the story: the old sandbox is refused the disk that the new one leases, and asks again.
        refused = "[...document.querySelector('.scroll').querySelectorAll('.mark.m-bad')].pop()"
        browser.js(refused + ".dispatchEvent(new MouseEvent('click', {bubbles: true}))")
        for key in "++":
            browser.key(key)
        browser.js("document.querySelector('.picture').scrollIntoView()")
        browser.frames(3)
        browser.picture(sys.argv[2])
    finally:
        browser.close()
