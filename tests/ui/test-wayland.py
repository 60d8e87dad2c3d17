#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: weston.sh test-wayland.py PENJING

The short story on Wayland, where no pointer can be moved from outside: sliders, buttons and pages by their
accessible actions, everything else by the window's.  Speaks TAP.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from studio import GLib, Studio, wait_for  # noqa: E402

number = 0


def ok(name):
    global number
    number += 1
    print(f"ok {number} /ui/wayland/{name}", flush=True)


def figure(studio, name):
    return next((n.name for n in studio.nodes(contains=f"{name}: ")), "")


print("1..4")
with Studio(sys.argv[1], "--sample") as studio:
    studio.await_enabled("fine-tune", 60)
    wait_for("the accuracy of the preview", lambda: "%" in figure(studio, "Accuracy"), 60)
    ok("opens")
    for page in ("overview", "layers", "jobs", "compare", "history", "export", "network"):
        studio.page(page)
        wait_for(f"the page {page}", lambda: studio.state("page") == page)
    wait_for("the graph", lambda: studio.find("image", "Network graph"))
    ok("pages")
    slider = studio.find("slider", "Share of channels to keep in all layers")
    slider.queryValue().currentValue = 50
    wait_for("the cost follows", lambda: "→" in figure(studio, "Multiply-accumulates"))
    studio.action("choose", GLib.Variant("s", "weight-sum"))
    studio.await_enabled("cut", 60)
    studio.act(wait_for("the button", lambda: studio.find("push button", "Cut")))
    wait_for("nothing is marked any more", lambda: not studio.enabled("cut"), 60)
    studio.action("undo")
    wait_for("undo", lambda: studio.enabled("redo"), 60)
    ok("choose-cut-undo")
    studio.bus.call_sync("io.github.penjing.Penjing", "/io/github/penjing/Penjing", "org.gtk.Actions", "Activate",
                         GLib.Variant("(sava{sv})", ("quit", [], {})), None, 0, 10000, None)
    wait_for("the end", lambda: studio.process.poll() is not None)
    assert studio.process.returncode == 0, studio.process.returncode
    ok("quit")
