#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: screenshots.py work|light|dark PROGRAM FOLDER FILE...

work   makes a session worth looking at: ratios, ThiNet, cut, fine-tuning, a comparison
light, dark   pictures of every page of the session FILE in that style
"""
import pathlib
import re
import subprocess
import sys
import time

import gi

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from studio import APP, PATH, GLib, Studio, pyatspi, wait_for, walk  # noqa: E402

gi.require_version("GdkPixbuf", "2.0")
from gi.repository import GdkPixbuf  # noqa: E402

MODE, PROGRAM, FOLDER = sys.argv[1:4]
FILES = sys.argv[4:] or ["--sample"]


def busy(studio):
    return any(n.getRoleName() == "progress bar" and n.queryComponent().getExtents(pyatspi.WINDOW_COORDS).width > 0
               for n in studio.nodes("progress bar"))


def settle(studio):
    """Until no job runs: twice in a row, for a job may start the next one."""
    for _ in range(2):
        wait_for("the jobs", lambda: not busy(studio))
        time.sleep(1)


def choose(studio, method):
    studio.action("choose", GLib.Variant("s", method))
    time.sleep(1)
    settle(studio)


def work():
    pathlib.Path(FOLDER).mkdir(parents=True, exist_ok=True)
    with Studio(PROGRAM, *FILES, pictures=FOLDER) as studio:
        studio.await_enabled("fine-tune")
        studio.action("run-comparison", GLib.Variant("(asaduuuus)", (["random", "weight-sum", "apoz", "thinet"],
                                                                     [0.75, 0.5, 0.25], 1, 3, 0, 0, "auto")))
        time.sleep(2)
        settle(studio)
        studio.page("network")
        studio.action("keep-all", GLib.Variant("d", 0.5))
        choose(studio, "autopruner")
        # Another way from the same beginning: a branch.
        studio.action("undo")
        time.sleep(2)
        studio.action("keep-all", GLib.Variant("d", 0.5))
        choose(studio, "apoz")
        choose(studio, "thinet")
        studio.await_enabled("cut")
        studio.action("cut")
        time.sleep(1)
        settle(studio)
        studio.action("fine-tune", GLib.Variant("(ud)", (4, 0.02)))
        time.sleep(2)
        settle(studio)
        studio.action("evaluate")
        time.sleep(1)
        settle(studio)
        export(studio, str(pathlib.Path(FOLDER) / "vgg-mini-pruned.onnx"))
        studio.page("overview")
        time.sleep(2)
        # Closed by itself, the session is whole in its one file.
        studio.key("ctrl+q")
        wait_for("the end", lambda: studio.process.poll() is not None)


def export(studio, path):
    studio.page("export")
    studio.key("ctrl+e")
    wait_for("the file chooser", lambda: next((n for n in studio.nodes() if n.name == "Export Network"), None))
    studio.key("ctrl+a")
    studio.type(path)
    studio.key("Return")
    wait_for("the file", lambda: pathlib.Path(path).exists())
    time.sleep(1)
    settle(studio)


def style(studio):
    studio.bus.call_sync(APP, PATH, "org.gtk.Actions", "SetState",
                         GLib.Variant("(sva{sv})", ("style", GLib.Variant("s", MODE), {})), None, 0, 10000, None)


def take(studio, name, seconds=2):
    """The page as it is at rest: no tooltip, no toast."""
    subprocess.run(["xdotool", "mousemove", "1435", "955"], check=False)
    time.sleep(seconds)
    studio.picture(name)


def views(studio):
    """The other views of the comparison, by their tabs: in every language in the same order."""
    figures, *tabs = studio.nodes("page tab")
    for tab, name in zip(tabs, ("channels", "agreement", "answers"), strict=True):
        studio.click(tab)
        take(studio, f"compare-{name}", 3)
    studio.click(figures)


def select_tuning(studio):
    """The latest fine-tuning, which has curves; what was done last has none."""
    studio.click(next(n for n in studio.nodes("label") if n.name.startswith(("Fine-tune, 4", "微调 4 "))))


def placed(studio, *names):
    """A node with one of these names that has a place on screen: English, Chinese."""
    def found():
        return next((n for n in studio.nodes() if n.name in names and n.getRoleName() != "label"
                     and n.queryComponent().getExtents(pyatspi.WINDOW_COORDS).width > 0), None)
    return wait_for(names[0], found)


def crop_popover(path):
    """Without a compositor a popover has a black rim in place of its shadow: the picture is what is within."""
    image = GdkPixbuf.Pixbuf.new_from_file(path)
    size, n, data = image.get_rowstride(), image.get_n_channels(), image.get_pixels()
    rows = []
    for y in range(image.get_height()):
        row = data[y * size:y * size + image.get_width() * n]
        run = max(re.finditer(rb"(?:" + b"\0\0\0" + (b"." if n == 4 else b"") + rb")+", row, re.S),
                  key=lambda m: m.end() - m.start(), default=None)
        if run and run.end() - run.start() >= 200 * n:
            rows.append((y, run.start() // n, run.end() // n))
    if rows:
        (top, left, right), bottom = rows[0], rows[-1][0] + 1
        box = f"{right - left - 44}x{bottom - top - 56}+{left + 22}+{top + 30}"
        subprocess.run(["convert", path, "-crop", box, "+repage", path], check=True)


def dialogs(studio):
    """Fine-tuning with a teacher; then the dialog with the settings of a method opened."""
    studio.click(placed(studio, "Fine-Tune", "微调"))
    time.sleep(1)
    # The list has the focus: its second entry.
    for key in ("space", "Down", "Return"):
        studio.key(key)
        time.sleep(1)
    take(studio, "fine-tune")
    crop_popover(f"{FOLDER}/fine-tune.png")
    studio.key("Escape")
    time.sleep(1)
    studio.action("prune")
    titles = "^(Prune Automatically|自动剪枝)$"
    main = studio.window_id

    def ids():
        return subprocess.run(["xdotool", "search", "--onlyvisible", "--name", titles], capture_output=True, text=True).stdout.split()

    studio.window_id = wait_for("the dialog", ids)[0]
    studio.click(placed(studio, "AutoPruner"))
    time.sleep(1)
    studio.click(placed(studio, "Settings of AutoPruner", "AutoPruner 的设置"))
    time.sleep(1)
    take(studio, "prune", 3)
    studio.key("Escape")
    studio.window_id = main
    wait_for("the end of the dialog", lambda: not ids())


def photograph():
    with Studio(PROGRAM, pictures=FOLDER) as studio:
        style(studio)
        take(studio, "start")
    with Studio(PROGRAM, *FILES, pictures=FOLDER) as studio:
        studio.await_enabled("fine-tune")
        style(studio)
        time.sleep(3)
        for page in ("overview", "jobs", "compare", "history", "export"):
            studio.page(page)
            time.sleep(1)
            if page == "jobs":
                select_tuning(studio)
            take(studio, page, 3)
            if page == "compare":
                views(studio)
        # The network as it was before the cut: marks, hatching, the share that goes.
        studio.page("network")
        studio.action("undo")
        time.sleep(4)
        studio.action("undo")
        time.sleep(6)
        box = next(n for n in studio.nodes("image") if n.name in ("Network graph", "网络结构图"))
        extents = box.queryComponent().getExtents(pyatspi.WINDOW_COORDS)
        studio.click_at(extents.x + extents.width / 2, extents.y + extents.height * 0.33)
        take(studio, "network", 4)
        dialogs(studio)
        studio.page("layers")
        take(studio, "layers")
        studio.action("redo")
        time.sleep(2)
        studio.action("redo")
        time.sleep(2)


work() if MODE == "work" else photograph()
