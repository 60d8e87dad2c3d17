#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: headless.sh test-dialogs.py PROGRAM PICTURES

Pruning and training with all that can be said about them, by pointer and keys: a refusal and what the network will
cost stand there before the start, one thing follows the other by itself, and every kernel
tells its time.  Speaks TAP.
"""
import contextlib
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from studio import Studio, pyatspi, wait_for, walk  # noqa: E402

PROGRAM, PICTURES = sys.argv[1:3]
TITLE = "Prune Automatically"
TRANSFER = "Prune Before or After a Transfer"
number = 0


def ok(name):
    global number
    number += 1
    print(f"ok {number} /ui/dialogs/{name}", flush=True)


@contextlib.contextmanager
def window(studio, title):
    """The pointer in another window of the program, which is there and is gone afterwards."""
    def ids():
        found = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", f"^{title}$"], capture_output=True, text=True)
        return found.stdout.split()
    main, studio.window_id = studio.window_id, wait_for(f"window {title}", ids)[0]
    try:
        yield
    finally:
        studio.window_id = main
    wait_for(f"the end of window {title}", lambda: not ids())


def visible(node):
    return node.queryComponent().getExtents(pyatspi.WINDOW_COORDS).width > 0


def control(studio, name, role=None):
    return wait_for(name, lambda: next((n for n in studio.nodes(role, name) if n.getRoleName() != "label" and visible(n)), None))


def says(studio, text):
    return wait_for(f"the words {text}", lambda: next((n for n in studio.nodes("label", contains=text) if visible(n)), None))


def sensitive(node):
    return node.getState().contains(pyatspi.STATE_SENSITIVE)


def checked(node):
    return node.getState().contains(pyatspi.STATE_CHECKED)


def reach(studio, node):
    """Turns the wheel over its column until it is where a hand can reach it, and clicks."""
    _, _, _, height = studio.geometry()
    for _ in range(40):
        box = node.queryComponent().getExtents(pyatspi.WINDOW_COORDS)
        low = box.y + box.height / 2 > height - 90
        if not low and box.y > 60:
            break
        studio.point(box.x + 4, height / 2)
        subprocess.run(["xdotool", "click", "5" if low else "4"], check=True)
        time.sleep(.15)
    time.sleep(.2)
    studio.click(node)


def pick(studio, name, index):
    """An entry of a list, which opens below its button."""
    node = control(studio, name)
    reach(studio, node)
    time.sleep(1)
    box = node.queryComponent().getExtents(pyatspi.WINDOW_COORDS)
    studio.click_at(box.x + 60, box.y + box.height / 2 + 59 + 32 * index)
    time.sleep(.5)


def await_job(studio, title, seconds=240):
    """Until the newest job of this title has ended well."""
    jobs = studio.await_node("list", "Jobs")

    def ended():
        row = next((n for n in jobs if n and n.name == title), None)
        texts = [n.name for n in walk(row) if n.getRoleName() == "label"] if row else []
        assert not any(t.startswith("Failed") for t in texts), texts
        return any(t.startswith("Done") for t in texts)

    wait_for(f"the end of {title}", ended, seconds)


def refusal_and_outlook(studio):
    studio.key("ctrl+p")
    with window(studio, TITLE):
        start = control(studio, "Start", "push button")
        says(studio, "MACs (−75")
        says(studio, "Choosing takes")
        assert sensitive(start), "it can start"
        pick(studio, "What the share counts", 2)
        says(studio, "keep ratios")
        wait_for("a start that is refused", lambda: not sensitive(start))
        studio.picture("dialog-refused")
        ok("refuses-before-the-start")
        # Escape leaves everything as it was.
        studio.key("Escape")
    ok("escape")


def prune(studio):
    studio.key("ctrl+p")
    with window(studio, TITLE):
        # What needs the cut brings it along.
        says(studio, "MACs (−75")
        studio.click(control(studio, "Measure the norms again", "check box"))
        cut = control(studio, "Cut the channels", "check box")
        wait_for("what the norms need", lambda: checked(cut) and not sensitive(cut))
        ok("says-it-all")
        studio.click(control(studio, "Start", "push button"))
    for title in ("Choose by ThiNet, least squares", "Cut", "Recalibrate norms"):
        await_job(studio, title)
    ok("one-after-the-other")


def gates_of_blocks(studio):
    """Only one method has them, and it says so."""
    studio.key("ctrl+p")
    with window(studio, TITLE):
        start = control(studio, "Start", "push button")
        says(studio, "MACs (−75")
        pick(studio, "What the share counts", 6)
        says(studio, "removed whole")
        says(studio, "Gates of whole blocks are AutoPruner")
        wait_for("a start that is refused", lambda: not sensitive(start))
        studio.picture("dialog-gates")
        studio.key("Escape")
    ok("gates-of-blocks")


def transfer(studio):
    studio.action("transfer")
    with window(studio, TRANSFER):
        start = control(studio, "Start", "push button")
        says(studio, "Can start without T1")
        says(studio, "All of it takes about")
        assert sensitive(start), "it can start"
        for name, word in (("Pictures to judge by", "The method’s own"), ("Test pictures", "All")):
            text = control(studio, name, "spin button").queryText()
            assert text.getText(0, text.characterCount) == word, "a 0 that is no amount stands there as a word"
        studio.picture("dialog-transfer")
        # Six passes of label refinement need more than so few.
        epochs = control(studio, "Epochs on your pictures", "spin button")
        studio.click(epochs)
        studio.key("ctrl+a", "3", "Tab")
        says(studio, "too few")
        wait_for("a start that is refused", lambda: not sensitive(start))
        studio.picture("dialog-transfer-refused")
        studio.key("Escape")
    ok("transfer")


def time_kernels(studio):
    studio.page("overview")
    button = control(studio, "Measure Speed")
    studio.act(button)
    bar = control(studio, "Time of each kernel", "image")
    wait_for("the figures", lambda: "pictures a second" in bar.description, 120)
    reach(studio, bar)
    studio.key("Home")
    wait_for("the first kernel", lambda: "GFLOP/s" in bar.description and "of what the device can do" in bar.description)
    first = bar.description
    studio.key("Right")
    wait_for("the next kernel", lambda: bar.description != first)
    ok("kernels")


with Studio(PROGRAM, "--sample", pictures=PICTURES) as studio:
    studio.await_enabled("fine-tune", 60)
    refusal_and_outlook(studio)
    gates_of_blocks(studio)
    transfer(studio)
    prune(studio)
    time_kernels(studio)
print(f"1..{number}")
