#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: screenshots.py work|light|dark PROGRAM FOLDER FILE...

work   makes a session worth looking at: ratios, ThiNet, cut, fine-tuning, a comparison
light, dark   pictures of every page of the session FILE in that style
"""
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from studio import APP, PATH, GLib, Studio, pyatspi, wait_for, walk  # noqa: E402

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
        studio.page("layers")
        take(studio, "layers")
        studio.action("redo")
        time.sleep(2)
        studio.action("redo")
        time.sleep(2)


work() if MODE == "work" else photograph()
