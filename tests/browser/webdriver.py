"""A small client of chromedriver: the WebDriver protocol over HTTP, standard library only.

Knows nothing of reports. The driver's port is its own choice, read from what it prints, so that
tests can run side by side. What a newcomer gets wrong: the driver is ended together with its
browser by `close`, and only by the process that started it.
"""

import base64
import json
import re
import subprocess
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Right": "\ue014", "Left": "\ue012", "Down": "\ue015", "Up": "\ue013"}


class Browser:
    """One headless browser window."""

    def __init__(self, width=1440, height=1000, flags=()):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        port = None
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                port = found.group(1)
                break
        if port is None:
            raise RuntimeError("chromedriver did not start")
        self.base = f"http://127.0.0.1:{port}"
        # No sandbox: tests run as root in containers, on a page of our own without network.
        args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                "--no-first-run", "--force-device-scale-factor=1", f"--window-size={width},{height}", *flags]
        wanted = {"browserName": "chrome", "goog:chromeOptions": {"args": args}, "goog:loggingPrefs": {"browser": "ALL"}}
        started = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.base += f"/session/{started['sessionId']}"

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {json.load(error)['value']['message'].splitlines()[0]}") from None

    def open(self, path):
        self.call("POST", "/url", {"url": f"file://{path}"})

    def js(self, script, *args):
        """Runs the body of a function in the page."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(args)})

    def frames(self, count=2):
        """Waits until the page has drawn so many frames."""
        script = "const done = arguments[1]; let n = arguments[0]; const f = () => (n-- ? requestAnimationFrame(f) : done(0)); f();"
        self.call("POST", "/execute/async", {"script": script, "args": [count]})

    def find(self, css):
        return self.call("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css):
        self.call("POST", f"/element/{self.find(css)}/click", {})
        self.frames()

    def type(self, css, text):
        self.call("POST", f"/element/{self.find(css)}/value", {"text": text})
        self.frames()

    def key(self, key):
        key = KEYS.get(key, key)
        strokes = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": strokes}]})
        self.frames()

    def pointer(self, *moves):
        """Moves the pointer: (x, y), "down" or "up", in that order."""
        actions = [
            {"type": "pointer" + m.capitalize(), "button": 0} if isinstance(m, str)
            else {"type": "pointerMove", "x": int(m[0]), "y": int(m[1]), "duration": 0, "origin": "viewport"}
            for m in moves
        ]
        parameters = {"pointerType": "mouse"}
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "parameters": parameters, "actions": actions}]})
        self.frames()

    def cdp(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def dark(self, dark=True):
        value = "dark" if dark else "light"
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def size(self, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.frames(3)

    def picture(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))

    def pdf(self, path):
        printed = self.call("POST", "/print", {"background": True, "orientation": "landscape"})
        with open(path, "wb") as file:
            file.write(base64.b64decode(printed))

    def complaints(self):
        """What the console says, of any level; each is told once."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})]

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(10)
