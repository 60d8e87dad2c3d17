# SPDX-License-Identifier: MIT
"""Hands and eyes for the tests of the studio: starts the program and drives the real window.

Everything a person can do is done as a person would: clicks and keys go through the X server, and what is on
screen is read from the accessibility tree.  Window actions can also be fired by name over D-Bus, for steps
that are not what a test is about.  Waits poll for a condition; nothing sleeps for luck.
"""
import os
import pathlib
import subprocess
import sys
import time

try:
    import gi
    gi.require_version("Gio", "2.0")
    from gi.repository import Gio, GLib
    import pyatspi
except (ImportError, ValueError) as problem:
    print(f"1..0 # SKIP {problem}")
    sys.exit(0)

APP = "io.github.penjing.Penjing"
PATH = "/io/github/penjing/Penjing"
SECONDS = float(os.environ.get("TEST_SECONDS", "30"))


def wait_for(what, probe, seconds=None):
    """Polls until probe() is true and returns its value."""
    end = time.monotonic() + (seconds or SECONDS)
    while True:
        try:
            found = probe()
        except (GLib.Error, LookupError, RuntimeError):
            found = None
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"timed out: {what}")
        time.sleep(0.05)


def walk(node):
    yield node
    for child in node:
        if child:
            yield from walk(child)


def walk_back(node):
    """The same from the end: what lies on top comes first."""
    for i in range(node.childCount - 1, -1, -1):
        child = node.getChildAtIndex(i)
        if child:
            yield from walk_back(child)
    yield node


class Studio:
    """One running studio.  Use it in a with statement."""

    def __init__(self, program, *arguments, pictures=None, env=None):
        self.pictures = pathlib.Path(pictures) if pictures else None
        # A warning of GTK's in the program is a failure of ours; one of the accessibility bus here is not.
        debug = {"G_DEBUG": os.environ.get("STUDIO_G_DEBUG", "fatal-warnings")}
        self.process = subprocess.Popen([program, *arguments], env={**os.environ, **debug, **(env or {})})
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.app = wait_for("the program on the accessibility bus", self._application)
        # On Wayland nobody sees another program's windows: only the accessibility tree and the actions are left.
        self.window_id = None if os.environ.get("WAYLAND_DISPLAY") else wait_for("a window", self._window)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind and self.pictures:
            self.picture("failed")
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _application(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the program ended with {self.process.returncode}")
        for app in pyatspi.Registry.getDesktop(0):
            if app and app.get_process_id() == self.process.pid and app.childCount:
                return app
        return None

    def _window(self):
        found = subprocess.run(["xdotool", "search", "--onlyvisible", "--pid", str(self.process.pid)],
                               capture_output=True, text=True)
        return found.stdout.split()[0] if found.stdout.split() else None

    # --- eyes ---

    def nodes(self, role=None, name=None, contains=None):
        for node in walk(self.app):
            if role and node.getRoleName() != role:
                continue
            if name is not None and node.name != name:
                continue
            if contains and contains not in f"{node.name} {node.description}":
                continue
            yield node

    def find(self, role=None, name=None, contains=None):
        return next(self.nodes(role, name, contains), None)

    def await_node(self, role=None, name=None, contains=None, seconds=None):
        return wait_for(f"{role} {name or contains}", lambda: self.find(role, name, contains), seconds)

    def await_toast(self, text):
        """A toast stays for five seconds; a walk through the whole tree may take longer on a busy machine."""
        return wait_for(f"a toast: {text}",
                        lambda: next((n for n in walk_back(self.app) if n.getRoleName() == "alert" and text in n.name), None))

    def geometry(self):
        out = subprocess.run(["xdotool", "getwindowgeometry", "--shell", self.window_id], capture_output=True,
                             text=True, check=True).stdout
        values = dict(line.split("=") for line in out.split())
        return int(values["X"]), int(values["Y"]), int(values["WIDTH"]), int(values["HEIGHT"])

    def picture(self, name):
        """The window as it is on screen, as PNG in the pictures folder."""
        if not self.pictures or not self.window_id:
            return None
        self.pictures.mkdir(parents=True, exist_ok=True)
        path = self.pictures / f"{name}.png"
        left, top, width, height = self.geometry()
        # From the root, so that menus and popovers are on it.
        subprocess.run(["import", "-window", "root", "-crop", f"{width}x{height}+{left}+{top}", "-depth", "8",
                        "+repage", str(path)], check=False)
        return path

    # --- hands ---

    def key(self, *keys):
        """Keys go where the focus is, as from a keyboard."""
        subprocess.run(["xdotool", "key", *keys], check=True)

    def type(self, text):
        subprocess.run(["xdotool", "type", text], check=True)

    def point(self, x, y):
        """Moves the pointer to window coordinates."""
        left, top, _, _ = self.geometry()
        subprocess.run(["xdotool", "mousemove", "--sync", str(left + int(x)), str(top + int(y))], check=False)

    def click_at(self, x, y, button=1):
        self.point(x, y)
        subprocess.run(["xdotool", "click", str(button)], check=True)

    def click(self, node):
        """A real click in the middle of a node."""
        box = node.queryComponent().getExtents(pyatspi.WINDOW_COORDS)
        self.click_at(box.x + box.width / 2, box.y + box.height / 2)

    def act(self, node, action="click"):
        actions = node.queryAction()
        names = [actions.getName(i) for i in range(actions.nActions)]
        actions.doAction(names.index(action))

    def action(self, name, parameter=None):
        """Fires a window action by name; parameter is a GVariant."""
        parameters = [parameter] if parameter is not None else []
        self.bus.call_sync(APP, f"{PATH}/window/1", "org.gtk.Actions", "Activate",
                           GLib.Variant("(sava{sv})", (name, parameters, {})), None, 0, 10000, None)

    def enabled(self, name):
        reply = self.bus.call_sync(APP, f"{PATH}/window/1", "org.gtk.Actions", "Describe",
                                   GLib.Variant("(s)", (name,)), None, 0, 10000, None)
        return reply.unpack()[0][0]

    def state(self, name):
        """The state of a window action, or None."""
        reply = self.bus.call_sync(APP, f"{PATH}/window/1", "org.gtk.Actions", "Describe",
                                   GLib.Variant("(s)", (name,)), None, 0, 10000, None)
        states = reply.unpack()[0][2]
        return states[0] if states else None

    def run_comparison(self, methods, ratios):
        """Compares by one seed, without fine-tuning."""
        self.action("run-comparison", GLib.Variant("(asaduuuus)", (methods, ratios, 1, 1, 0, 0, "auto")))

    def page(self, name):
        self.action("page", GLib.Variant("s", name))

    def await_enabled(self, name, seconds=None):
        wait_for(f"action {name}", lambda: self.enabled(name), seconds)
