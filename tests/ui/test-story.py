#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: headless.sh test-story.py PROGRAM PICTURES [MODEL DATA]

The whole story in the real window: open the sample session (or MODEL with DATA), look, walk, drag ratios,
toggle a channel, undo, choose by ThiNet, cut, fine-tune, pause, compare, go back in the history, export, meet a
broken file, and quit.  Clicks and keys go through the X server.  Speaks TAP.
"""
import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from studio import GLib, Studio, pyatspi, wait_for, walk  # noqa: E402
import subprocess  # noqa: E402

PROGRAM, PICTURES = sys.argv[1:3]
FILES = sys.argv[3:]
number = 0


def ok(name):
    global number
    number += 1
    print(f"ok {number} /ui/story/{name}", flush=True)


def total(studio, name):
    """The text of a figure in the strip: "Multiply-accumulates: 29.1 M → 7.3 M −75 %"."""
    node = next(studio.nodes(contains=f"{name}: "), None)
    return node.name if node else None


def canvas(studio):
    return studio.find("image", "Network graph")


def kept_channels(studio):
    node = next(studio.nodes("image", contains="Channel importance of"), None)
    found = re.search(r"(\d+) channels?, (\d+) kept", node.description) if node else None
    return (int(found.group(1)), int(found.group(2))) if found else None


def await_job(studio, title, seconds=180):
    """Waits until the newest job of this title has ended well."""
    jobs = studio.await_node("list", "Jobs")

    def ended():
        row = next((n for n in jobs if n and n.name == title), None)
        texts = [n.name for n in walk(row) if n.getRoleName() == "label"] if row else []
        assert not any(t.startswith("Failed") for t in texts), texts
        return any(t.startswith("Done") for t in texts)

    wait_for(f"the end of {title}", ended, seconds)


def open_sample(studio):
    if FILES:
        studio.await_enabled("fine-tune", 60)
        assert next(studio.nodes("label", contains="can be pruned"), None), "the verdict comes first"
        studio.key("alt+1")
    else:
        studio.picture("start")
        assert studio.find("push button", "Open…"), "the start page offers to open"
        studio.click(studio.await_node("push button", "Sample Session"))
        if wait_for("the sample", lambda: studio.enabled("fine-tune") or studio.find("alert", contains="no bundled network")) is not True:
            print("Bail out! this build has no sample session")
            sys.exit(1)
    wait_for("the accuracy of the preview", lambda: "%" in (total(studio, "Accuracy") or ""), 60)
    ok("opens")


def every_focusable_has_a_name(studio):
    containers = {"filler", "scroll pane", "list", "table row", "panel", "tree table", "list item", "viewport", "table",
                  "unknown", "split pane", "text", "label", "grouping"}
    bad = [(n.getRoleName(), n.name) for n in studio.nodes()
           if n.getState().contains(pyatspi.STATE_FOCUSABLE) and n.getRoleName() not in containers
           and n.queryComponent().getExtents(pyatspi.WINDOW_COORDS).width > 0
           and (not n.name or n.name.startswith("Gtk"))]
    assert not bad, bad
    ok("accessible-names")


def look_and_walk(studio):
    box = canvas(studio).queryComponent().getExtents(pyatspi.WINDOW_COORDS)
    for y in range(box.y + 40, box.y + box.height - 60, 14):
        studio.click_at(box.x + box.width / 2, y)
        if "channels kept" in canvas(studio).description:
            break
    wait_for("a click selects a layer", lambda: "channels kept" in canvas(studio).description)
    before = canvas(studio).description
    studio.key("End")
    wait_for("End goes to the last operator", lambda: canvas(studio).description != before)
    studio.key("Home")
    wait_for("Home goes to the first", lambda: "channels kept" in canvas(studio).description)
    first = canvas(studio).description.split(",")[0]
    studio.key("Down")
    wait_for("Down walks an edge", lambda: not canvas(studio).description.startswith(f"{first},"))
    studio.key("Up")
    wait_for("Up walks back", lambda: canvas(studio).description.startswith(f"{first},"))
    ok("click-and-walk")
    return first


def zoom(studio):
    label = lambda: next(n.name for n in studio.nodes("push button") if re.fullmatch(r"\d+\s*%", n.name or ""))
    before = label()
    box = canvas(studio).queryComponent().getExtents(pyatspi.WINDOW_COORDS)
    studio.point(box.x + box.width / 2, box.y + box.height / 2)
    subprocess.run(["xdotool", "keydown", "ctrl", "click", "4", "click", "4", "keyup", "ctrl"], check=True)
    wait_for("Ctrl and wheel zoom", lambda: label() != before)
    studio.key("ctrl+9")
    wait_for("fit", lambda: label() != before or True)
    ok("zoom")


def drag_ratio(studio):
    before = total(studio, "Multiply-accumulates")
    assert "→" not in before, before
    slider = studio.find("slider", "Share of channels to keep in all layers")
    box = slider.queryComponent().getExtents(pyatspi.WINDOW_COORDS)
    studio.point(box.x + box.width - 6, box.y + box.height / 2)
    subprocess.run(["xdotool", "mousedown", "1"], check=True)
    for step in (0.9, 0.8, 0.7, 0.6, 0.5):
        studio.point(box.x + box.width * step, box.y + box.height / 2)
    wait_for("cost follows the hand", lambda: "→" in total(studio, "Multiply-accumulates"))
    subprocess.run(["xdotool", "mouseup", "1"], check=True)
    wait_for("undo is offered", lambda: studio.enabled("undo"))
    wait_for("accuracy with its error follows",
             lambda: re.search(r"→.*±", total(studio, "Accuracy") or ""), 60)
    studio.picture("network")
    studio.key("ctrl+z")
    wait_for("one drag is one step", lambda: total(studio, "Multiply-accumulates") == before)
    assert not studio.enabled("undo")
    studio.key("ctrl+shift+z")
    wait_for("redo", lambda: "→" in total(studio, "Multiply-accumulates"))
    ok("drag-undo-redo")


def toggle_channel(studio):
    n, kept = wait_for("the channel map", lambda: kept_channels(studio))
    chart = next(studio.nodes("image", contains="Channel importance of"))
    box = chart.queryComponent().getExtents(pyatspi.WINDOW_COORDS)
    studio.click_at(box.x + 8, box.y + 8)
    wait_for("a click toggles a channel", lambda: abs(kept_channels(studio)[1] - kept) == 1)
    studio.key("space")
    wait_for("the space bar toggles it back", lambda: kept_channels(studio)[1] == kept)
    ok("toggle-channel")


def find_layer(studio, name):
    studio.key("ctrl+f")
    wait_for("the search entry", lambda: studio.find("text", contains="Find a layer by name")
             or studio.find("entry", contains="Find a layer by name"))
    studio.type("fully")
    studio.key("Return")
    wait_for("a layer is found by its kind", lambda: "Fully connected" in canvas(studio).description)
    studio.picture("locked")
    studio.key("Escape")
    wait_for("why it is locked", lambda: next(studio.nodes("label", contains="one channel per class"), None))
    ok("find")


def layer_table(studio):
    studio.key("alt+2")
    rows = wait_for("rows of the table", lambda: [n for n in studio.nodes("table row")] or None)
    sliders = [n for n in studio.nodes("slider") if n.name.startswith("Share of channels to keep in ")]
    assert len(sliders) >= 3 and rows, (len(sliders), len(rows))
    before = total(studio, "Multiply-accumulates")
    own = next(n for n in sliders if not n.name.endswith(("all layers", "selected layers")))
    own.queryValue().currentValue = 75
    wait_for("a row changes the cost", lambda: total(studio, "Multiply-accumulates") != before)
    studio.picture("layers")
    studio.click(studio.find("push button", "Copy CSV"))
    studio.await_toast("Table copied")
    ok("layer-table")


def choose_and_cut(studio):
    studio.key("alt+1")
    studio.action("choose", GLib.Variant("s", "thinet"))
    wait_for("the job in the side bar", lambda: next(studio.nodes("progress bar", contains="ThiNet"), None))
    await_job(studio, "Choose by ThiNet")
    studio.await_enabled("cut")
    studio.click(studio.find("push button", "Cut"))
    wait_for("nothing is marked any more", lambda: not studio.enabled("cut"), 60)
    wait_for("the network is smaller", lambda: "→" not in (total(studio, "Multiply-accumulates") or "→"))
    ok("choose-and-cut")


def fine_tune(studio):
    studio.action("fine-tune", GLib.Variant("(ud)", (2, 0.02)))
    pause = wait_for("the running job", lambda: studio.find("push button", "Pause"), 60)
    studio.act(pause)
    go_on = wait_for("it pauses", lambda: studio.find("push button", "Go on"), 60)
    studio.act(go_on)
    wait_for("a curve grows", lambda: next(studio.nodes("image", contains="loss is"), None), 60)
    await_job(studio, "Fine-tune, 2 epochs")
    studio.picture("jobs")
    ok("fine-tune")


def compare(studio):
    studio.action("compare")
    wait_for("the questions of a comparison", lambda: studio.find("push button", "Start"))
    studio.picture("compare-ask")
    assert next(studio.nodes("check box", "ThiNet")).getState().contains(pyatspi.STATE_CHECKED)
    studio.key("Escape")
    studio.action("run-comparison", GLib.Variant("(asaduuuus)", (["random", "weight-sum"], [0.5], 1, 2, 0, 0, "auto")))
    wait_for("two measured rows", lambda: next(studio.nodes("image", contains="2 measured points"), None), 180)
    studio.picture("compare")
    studio.click(studio.find("page tab", "Channels"))
    wait_for("overlap", lambda: next(studio.nodes("label", contains="They agree on"), None))
    studio.picture("compare-channels")
    studio.click(studio.find("page tab", "Agreement"))
    overlap = studio.await_node("image", "Overlap of the kept channels")
    wait_for("the matrix in words", lambda: "Random 100" in overlap.description.replace("\u202f", "") or None)
    assert "conv1" in studio.find("image", "Damage of each layer’s cut alone").description
    studio.picture("compare-agreement")
    studio.click(studio.find("page tab", "Answers"))
    wait_for("the answers", lambda: next(studio.nodes("label", contains="answers changed"), None))
    wait_for("pictures on the wall", lambda: next(studio.nodes("image", contains="The uncut network said"), None))
    studio.picture("compare-answers")
    studio.click(studio.find("page tab", "Figures"))
    ok("compare")


def history(studio):
    studio.key("alt+5")
    step = studio.await_node("list item", contains="Cut,")
    studio.picture("history")
    studio.click(step)
    wait_for("the step is marked", lambda: next(studio.nodes("list item", contains="present step"), None)
             and "Cut," in next(studio.nodes("list item", contains="present step")).name, 60)
    assert studio.enabled("redo")
    studio.action("redo")
    wait_for("forward again",
             lambda: "Fine-tune" in next(studio.nodes("list item", contains="present step")).name, 60)
    ok("history")


def export(studio, folder):
    path = pathlib.Path(folder) / "small.onnx"
    studio.key("ctrl+e")
    wait_for("the file chooser", lambda: next((n for n in studio.nodes() if n.getRoleName() in ("dialog", "file chooser")
                                               or n.name == "Export Network"), None))
    studio.key("ctrl+a")
    studio.type(str(path))
    studio.key("Return")
    wait_for("the file", path.exists, 60)
    await_job(studio, "Export small.onnx", 60)
    studio.picture("export")
    assert path.stat().st_size < 1_000_000
    ok("export")


def broken_file(studio, folder):
    path = pathlib.Path(folder) / "broken.onnx"
    path.write_bytes(b"\x08\x07\x3a\xff\xff\xff\xff\x0f")
    before = total(studio, "Parameters")
    studio.action("open-path", GLib.Variant("s", str(path)))
    banner = wait_for("the reason", lambda: next((n for n in studio.nodes() if "could not be opened" in (n.name or "")
                                                  and "broken.onnx" in n.name), None))
    studio.picture("broken")
    assert len(banner.name) > len("“broken.onnx” could not be opened. "), banner.name
    assert total(studio, "Parameters") == before, "what was open stays open"
    ok("broken-file")


def main():
    print("1..14")
    with tempfile.TemporaryDirectory() as folder, Studio(PROGRAM, *FILES, pictures=PICTURES) as studio:
        open_sample(studio)
        every_focusable_has_a_name(studio)
        first = look_and_walk(studio)
        zoom(studio)
        drag_ratio(studio)
        toggle_channel(studio)
        find_layer(studio, first)
        layer_table(studio)
        choose_and_cut(studio)
        fine_tune(studio)
        compare(studio)
        history(studio)
        export(studio, folder)
        broken_file(studio, folder)
        studio.key("ctrl+q")
        wait_for("the end", lambda: studio.process.poll() is not None)
        assert studio.process.returncode == 0, studio.process.returncode


main()
