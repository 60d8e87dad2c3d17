# SPDX-License-Identifier: MIT
"""A headless Chromium, driven through its own pipe: pages, questions to them, pictures of them."""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SECONDS = float(os.environ.get("TEST_SECONDS", "120"))


class Browser:
    """Use it in a with statement.  `requests` are the addresses that pages asked for."""

    def __init__(self, language="en-US", dark=False, width=1200, height=1000):
        self.home = tempfile.mkdtemp(prefix="penjing-browser-")
        self.requests, self.problems, self.replies = [], [], {}
        self.number, self.arrived = 0, threading.Condition()
        their_in, self.to = os.pipe()
        self.back, their_out = os.pipe()

        def pipes():
            # The browser listens on 3 and speaks on 4.  Copies first: a target may be the other's source.
            a, b = os.dup(their_in), os.dup(their_out)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
             "--disable-background-networking", "--disable-dev-shm-usage", "--hide-scrollbars", f"--lang={language}",
             f"--user-data-dir={self.home}", f"--window-size={width},{height}", "about:blank"],
            preexec_fn=pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.home, "LANGUAGE": language.replace("-", "_"), "LC_ALL": "C.UTF-8"})
        os.close(their_in)
        os.close(their_out)
        threading.Thread(target=self._listen, daemon=True).start()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        agent = self.call("Browser.getVersion")["userAgent"]
        self.call("Network.setUserAgentOverride", userAgent=agent, acceptLanguage=language)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    session = None

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def _listen(self):
        rest = b""
        while True:
            piece = os.read(self.back, 1 << 16)
            if not piece:
                return
            *messages, rest = (rest + piece).split(b"\0")
            for message in map(json.loads, messages):
                with self.arrived:
                    self._take(message)
                    self.arrived.notify_all()

    def _take(self, message):
        if "id" in message:
            self.replies[message["id"]] = message
        elif message["method"] == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"][:200])
        elif message["method"] == "Runtime.exceptionThrown":
            self.problems.append(message["params"]["exceptionDetails"])
        elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.problems.append(message["params"]["entry"]["text"])

    def call(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.to, json.dumps(request).encode() + b"\0")
        with self.arrived:
            if not self.arrived.wait_for(lambda: request["id"] in self.replies, SECONDS):
                raise AssertionError(f"no answer to {method}")
            reply = self.replies.pop(request["id"])
        if "error" in reply:
            raise AssertionError(f"{method}: {reply['error']}")
        return reply["result"]

    def open(self, path):
        self.call("Page.navigate", url="file://" + os.path.abspath(path))

    def ask(self, expression):
        """The value of a JavaScript expression; promises are awaited."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise AssertionError(result["exceptionDetails"])
        return result["result"].get("value")

    def wait_for(self, expression):
        end = time.monotonic() + SECONDS
        # A page that is only arriving may have nothing to ask yet.
        while not self.ask(f"(() => {{ try {{ return {expression} }} catch {{ return null }} }})()"):
            if time.monotonic() > end:
                raise AssertionError(f"timed out: {expression}")
            time.sleep(0.1)

    def picture(self, path):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                         clip={"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1})
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))
