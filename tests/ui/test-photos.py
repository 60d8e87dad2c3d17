#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: headless.sh test-photos.py PENJING PENJING-CLI DROP-SOURCE PHOTOS PICTURES light|dark

The whole story on colour photos, as somebody new would live it: a network and a folder of photos are dropped on
the window, the verdict is read, channels are scored by three criteria, ratios are dragged, methods compared,
AutoPruner chooses, the network is cut and trained, the work is undone and branched off, and what comes out is
exported as a file and as a demo, which a browser opens.  TEST_LANGUAGE gives the language.  Speaks TAP.
"""
import gettext
import os
import pathlib
import subprocess
import sys
import tempfile
import time

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent / "demo")]
from studio import APP, PATH, GLib, Studio, pyatspi, wait_for, walk  # noqa: E402

PROGRAM, CLI, DROP_SOURCE, PHOTOS, PICTURES, STYLE = sys.argv[1:7]
LANGUAGE = os.environ.get("LANGUAGE") or "en"
PAGES = ("overview", "network", "layers", "jobs", "compare", "history", "export")
texts = gettext.translation("penjing", pathlib.Path(PROGRAM).resolve().parents[1] / "po", [LANGUAGE], fallback=True)
_ = texts.gettext
number = 0


def ok(name, skip=None):
    global number
    number += 1
    print(f"ok {number} /ui/photos/{LANGUAGE}/{name}{f' # SKIP {skip}' if skip else ''}", flush=True)


def figure(studio, name):
    """The text of a figure in the strip: “Multiply-accumulates: 38.6 M → 9.9 M −74 %”."""
    name = _(name)
    return next((n.name for n in studio.nodes() if (n.name or "").startswith(name) and any(c.isdigit() for c in n.name)), "")


def jobs(studio):
    rows = studio.find("list", _("Jobs"))
    return [(n.name, [m.name for m in walk(n) if m.getRoleName() == "label"]) for n in rows if n] if rows else []


def await_jobs(studio, seconds=240):
    """Until nothing runs or waits; no job may have failed."""
    def quiet():
        states = jobs(studio)
        failed = [s for s in states if any(t.startswith(_("Failed")) for t in s[1])]
        assert not failed, failed
        return states and all(any(t.startswith(_("Done")) for t in labels) for title, labels in states)
    wait_for("the end of all jobs", quiet, seconds)


def style(studio):
    studio.bus.call_sync(APP, PATH, "org.gtk.Actions", "SetState",
                         GLib.Variant("(sva{sv})", ("style", GLib.Variant("s", STYLE), {})), None, 0, 10000, None)


def drop(studio, *paths):
    """Drags files from another window into the middle of this one."""
    source = subprocess.Popen([DROP_SOURCE, *map(str, paths)], env={**os.environ, "NO_AT_BRIDGE": "1", "GTK_A11Y": "none"})
    try:
        window = wait_for("the other window", lambda: subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", "^drop-source$"], capture_output=True, text=True).stdout.split())[0]
        subprocess.run(["xdotool", "windowmove", "--sync", window, "1150", "60", "windowraise", window], check=False)
        time.sleep(0.5)
        out = subprocess.run(["xdotool", "getwindowgeometry", "--shell", window], capture_output=True, text=True).stdout
        place = dict(line.split("=") for line in out.split())
        x, y = int(place["X"]) + int(place["WIDTH"]) // 2, int(place["Y"]) + int(place["HEIGHT"]) // 2
        left, top, width, height = studio.geometry()
        subprocess.run(["xdotool", "mousemove", "--sync", str(x), str(y), "mousedown", "1"], check=True)
        # A drag begins after a few pixels, and what is below is told step by step.
        for step in range(1, 13):
            subprocess.run(["xdotool", "mousemove", str(x + (left + width // 2 - x) * step // 12),
                            str(y + (top + height // 2 - y) * step // 12)], check=True)
            time.sleep(0.05)
        time.sleep(0.3)
        subprocess.run(["xdotool", "mouseup", "1"], check=True)
        time.sleep(0.5)
    finally:
        source.terminate()
        source.wait()


def drops(studio, model):
    studio.picture(f"start-{LANGUAGE}")
    drop(studio, model)
    wait_for("the network that was dropped", lambda: studio.enabled("choose") or studio.enabled("export"), 60)
    drop(studio, PHOTOS)
    studio.await_enabled("fine-tune", 60)
    ok("drop-network-and-photos")


def verdict(studio):
    studio.page("overview")
    node = wait_for("what is locked", lambda: studio.find("list", _("Locked layers")))
    assert node.childCount >= 1, "the last layer is locked"
    wait_for("how many pictures there are", lambda: any("96" in n.name and "48" in n.name for n in studio.nodes("label")))
    studio.picture(f"verdict-{LANGUAGE}")
    ok("verdict")


def names(studio):
    """Everything that takes the focus or can be acted on says what it is, on every page.  Rows do by their cells."""
    roles = {"push button", "toggle button", "check box", "radio button", "slider", "spin button", "combo box", "entry", "text",
             "image", "progress bar", "menu item", "page tab", "link"}
    bad, n_checked = [], 0
    for page in PAGES:
        studio.page(page)
        wait_for(f"the page {page}", lambda: studio.state("page") == page)
        time.sleep(0.5)
        for node in studio.nodes():
            if node.getRoleName() not in roles:
                continue
            states = node.getState()
            if not states.contains(pyatspi.STATE_FOCUSABLE) or node.queryComponent().getExtents(pyatspi.WINDOW_COORDS).width <= 0:
                continue
            n_checked += 1
            if not node.name or node.name.startswith("Gtk") or node.name.startswith("Pju"):
                path, up = [], node
                while up and up.getRoleName() not in ("frame", "application"):
                    path.append(f"{up.getRoleName()} “{up.name}”")
                    up = up.parent
                bad.append(f"{page}: {' in '.join(path[:4])}")
            if node.getRoleName() in ("slider", "spin button"):
                value = node.queryValue()
                assert value.minimumValue < value.maximumValue, (page, node.name)
    assert not bad, "\n".join(sorted(set(bad)))
    assert n_checked > 100, n_checked
    ok("accessible-names")


def scores(studio):
    studio.page("network")
    studio.action("keep-all", GLib.Variant("d", 0.6))
    for criterion in ("weight-sum", "apoz", "taylor"):
        studio.action("choose", GLib.Variant("s", criterion))
        time.sleep(0.5)
        await_jobs(studio)
    before = len(jobs(studio))
    assert before >= 3, jobs(studio)
    ok("three-criteria")


def drags(studio):
    before = figure(studio, "Multiply-accumulates")
    slider = wait_for("the slider of all layers", lambda: studio.find("slider", _("Share of channels to keep in all layers")))
    box = slider.queryComponent().getExtents(pyatspi.WINDOW_COORDS)
    value = slider.queryValue().currentValue
    studio.point(box.x + box.width * 0.6, box.y + box.height / 2)
    subprocess.run(["xdotool", "mousedown", "1"], check=True)
    for step in (0.55, 0.5, 0.45):
        studio.point(box.x + box.width * step, box.y + box.height / 2)
        time.sleep(0.1)
    subprocess.run(["xdotool", "mouseup", "1"], check=True)
    wait_for("the ratio", lambda: slider.queryValue().currentValue != value)
    wait_for("cost follows the hand", lambda: figure(studio, "Multiply-accumulates") not in ("", before))
    wait_for("accuracy with its error", lambda: "±" in figure(studio, "Accuracy"), 60)
    studio.picture(f"network-{LANGUAGE}")
    ok("drag-ratios")


def compares(studio):
    studio.run_comparison(["random", "weight-sum", "thinet"], [0.5])
    time.sleep(1)
    await_jobs(studio)
    studio.page("compare")
    wait_for("three rows", lambda: len([n for n in studio.nodes("table row")]) >= 3)
    studio.picture(f"compare-{LANGUAGE}")
    ok("compare")


def autopruner(studio):
    studio.page("network")
    studio.action("choose", GLib.Variant("s", "autopruner"))
    time.sleep(1)
    await_jobs(studio, 400)
    studio.await_enabled("cut")
    studio.page("jobs")
    time.sleep(1)
    assert any("AutoPruner" in name for name, labels in jobs(studio)), jobs(studio)
    studio.picture(f"autopruner-{LANGUAGE}")
    ok("autopruner")


def cuts_and_trains(studio):
    studio.action("cut")
    wait_for("nothing is marked any more", lambda: not studio.enabled("cut"), 60)
    studio.action("fine-tune", GLib.Variant("(ud)", (2, 0.01)))
    time.sleep(1)
    await_jobs(studio)
    studio.page("jobs")
    time.sleep(1)
    studio.picture(f"jobs-{LANGUAGE}")
    ok("cut-and-fine-tune")


def branches(studio):
    studio.page("history")
    steps = lambda: [n for n in studio.nodes() if n.getRoleName() in ("list item", "table row")]
    wait_for("steps", lambda: len(steps()) >= 4)
    n = len(steps())
    # Back before the cut, then another way: both stay.
    studio.key("ctrl+z")
    time.sleep(1)
    studio.key("ctrl+z")
    wait_for("redo is offered", lambda: studio.enabled("redo"))
    studio.action("keep-all", GLib.Variant("d", 0.75))
    wait_for("a branch", lambda: len(steps()) > n, 60)
    studio.picture(f"history-{LANGUAGE}")
    assert not studio.enabled("redo"), "a new branch has nothing to redo"
    studio.action("choose", GLib.Variant("s", "weight-sum"))
    time.sleep(0.5)
    await_jobs(studio)
    ok("undo-and-branch")


def save_as(studio, path):
    studio.key("ctrl+e")
    wait_for("the file chooser", lambda: next((n for n in studio.nodes()
                                               if n.getRoleName() in ("dialog", "file chooser")
                                               or n.name == _("Export Network")), None))
    studio.key("ctrl+a")
    studio.type(str(path))
    studio.key("Return")


def exports(studio, folder):
    studio.page("export")
    save_as(studio, folder / "small.onnx")
    wait_for("the file", (folder / "small.onnx").exists, 60)
    wait_for("its certificate", lambda: studio.find("label", _("Certified")), 60)
    info = subprocess.run([CLI, "info", folder / "small.onnx", "--json"], capture_output=True, text=True, check=True).stdout
    assert '"penjing.cut-difference"' in info and '"penjing.file-difference"' in info, info[:2000]
    studio.picture(f"export-{LANGUAGE}")
    ok("export-with-certificate")


def demo(studio, folder):
    runtime = os.environ.get("PENJING_DEMO_RUNTIME", "")
    if not os.path.exists(os.path.join(runtime, "version")):
        return ok("demo", "onnxruntime-web is not there")
    choice = next(n for n in studio.nodes() if n.name == _("Demo") and n.getRoleName() in ("check box", "radio button"))
    studio.click(choice)
    save_as(studio, folder / "demo")
    wait_for("the page", (folder / "demo/index.html").exists, 60)
    wait_for("two certificates", lambda: len(list(studio.nodes("label", _("Certified")))) >= 2, 60)
    import browser
    if browser.PROGRAM is None:
        return ok("demo", "Chromium is not installed")
    with browser.Browser("zh-CN" if LANGUAGE.startswith("zh") else "en-US", dark=STYLE == "dark") as page:
        page.open(folder / "demo/index.html")
        page.wait_for("document.documentElement.dataset.state")
        assert page.ask("document.documentElement.dataset.state") == "ready", page.problems
        assert page.ask("window.penjing.content.classes.includes('Banana')")
        if PICTURES:
            page.picture(os.path.join(PICTURES, f"demo-{LANGUAGE}.png"))
    ok("demo")


def main():
    print("1..12")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = folder / "greengrocer.onnx"
        subprocess.run([CLI, "train", "vgg-mini", "--data", PHOTOS, "--size", "32", "--epochs", "12", "--batch", "16", "--lr",
                        "0.05", "--session", "none", "--out", model], check=True, capture_output=True)
        with Studio(PROGRAM, pictures=PICTURES) as studio:
            style(studio)
            drops(studio, model)
            verdict(studio)
            names(studio)
            scores(studio)
            drags(studio)
            compares(studio)
            autopruner(studio)
            cuts_and_trains(studio)
            branches(studio)
            exports(studio, folder)
            demo(studio, folder)
            studio.key("ctrl+q")
            wait_for("the end", lambda: studio.process.poll() is not None)
            assert studio.process.returncode == 0, studio.process.returncode
            ok("quit")


main()
