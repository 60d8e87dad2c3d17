#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test-demo.py PENJING-CLI

Exports demos and opens them in Chromium from a plain file: what the page computes is held against the engine.
Skips where onnxruntime-web or Chromium cannot be had.  DEMO_PICTURES names a folder to keep pictures in.
"""
import base64
import hashlib
import json
import os
import pathlib
import re
import sys

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent / "app/cli")]
RUNTIME = os.environ.get("PENJING_DEMO_RUNTIME", "")
if not os.path.exists(os.path.join(RUNTIME, "version")):
    print("1..0 # SKIP onnxruntime-web is not there: run tools/onnxruntime-web.sh and set PENJING_DEMO_RUNTIME")
    sys.exit(0)
import browser  # noqa: E402
from browser import Browser  # noqa: E402
from harness import check, environment, main, ok, refused, run  # noqa: E402

try:
    import numpy as np
except ImportError as problem:
    print(f"1..0 # SKIP {problem}")
    sys.exit(0)
if browser.PROGRAM is None:
    print("1..0 # SKIP Chromium is not installed")
    sys.exit(0)

DATA = "sample?train=320&test=100"
PICTURES = os.environ.get("DEMO_PICTURES")


def prepare():
    result = ok(run("prune", "sample", "--data", DATA, "--keep", "0.5", "--method", "weight-sum", "--session", "none",
                    "--out", "small.onnx", "--json")).json
    check(0 <= result["out"]["cut_difference"] < 1e-5, result["out"])
    result = ok(run("export", "small.onnx", "--format", "demo", "--original", "sample", "--data", DATA, "--out", "demo",
                    "--json")).json["out"]
    check(result["difference"] < 1e-6 and result["test_pictures"], result)
    check(sorted(os.listdir("demo")) == ["LICENSES.txt", "index.html", "original.onnx", "pruned.onnx"], os.listdir("demo"))
    pruned = pathlib.Path("demo/pruned.onnx").read_bytes()
    check(result["sha256"] == hashlib.sha256(pruned).hexdigest(), result)
    check(result["bytes"] == sum(f.stat().st_size for f in pathlib.Path("demo").iterdir()), result)
    page = pathlib.Path("demo/index.html").read_text()
    for name in ("original", "pruned"):
        inside = base64.b64decode(re.search(rf'id="{name}">([^<]*)<', page).group(1))
        check(inside == pathlib.Path(f"demo/{name}.onnx").read_bytes(), name, "in the page is another network")
    check("{{" not in re.sub(r"<script.*?</script>", "", page, flags=re.S), "a mark was left")
    check("https://" not in page.split("<script")[0], "the page refers to another place")


def says_what_is_missing():
    refused(run("export", "small.onnx", "--format", "demo", "--original", "sample", "--out", "x"), "data set")
    refused(run("export", "small.onnx", "--format", "demo", "--data", DATA, "--out", "x"), "original")
    refused(run("export", "small.onnx", "--format", "demo", "--data", DATA, "--original", "sample", "--out",
                "small.onnx"), "it is a file")
    refused(run("export", "small.onnx", "--format", "demo", "--data", DATA, "--original", "sample", "--out", "x",
                env=environment(PENJING_DEMO_RUNTIME="/nowhere", XDG_DATA_DIRS="/nowhere")), "onnxruntime-web")
    check(not os.path.exists("x") and not os.path.exists("x.part"), os.listdir())


def replaces_its_own_files_only():
    pathlib.Path("demo/notes.txt").write_text("mine")
    pathlib.Path("demo/index.html").write_text("old")
    ok(run("export", "small.onnx", "--format", "demo", "--original", "sample", "--data", DATA, "--out", "demo"))
    check(pathlib.Path("demo/notes.txt").read_text() == "mine", "a file of the person's is gone")
    check(len(pathlib.Path("demo/index.html").read_text()) > 1_000_000, "the old page is still there")
    os.remove("demo/notes.txt")
    check(not os.path.exists("demo.part"), "a trial folder was left")


def goes_where_it_was_told_to():
    """A name with a stroke at the end, as shells complete it, and a link to a folder, beside files with the names of trials."""
    export = ["export", "small.onnx", "--format", "demo", "--original", "sample", "--data", DATA, "--out"]
    os.mkdir("new.part")
    pathlib.Path("new.part/index.html").write_text("mine")
    ok(run(*export, "new/"))
    check("pruned.onnx" in os.listdir("new") and os.listdir("new.part") == ["index.html"], os.listdir("new.part"))
    os.mkdir("far")
    os.symlink("far", "link")
    ok(run(*export, "link"))
    check(os.path.islink("link") and "pruned.onnx" in os.listdir("far"), os.listdir("far"))


def keep_picture(page, name):
    if PICTURES:
        os.makedirs(PICTURES, exist_ok=True)
        page.picture(os.path.join(PICTURES, f"{name}.png"))


def engine_outputs(content, network):
    """What penjing-cli computes for the pictures of the page."""
    c, h, w = content["shape"]
    pixels = np.stack([np.frombuffer(base64.b64decode(p["pixels"]), np.uint8) for p in content["pictures"]])
    mean, std = (np.array(content[k], np.float32).reshape(1, c, 1, 1) for k in ("mean", "std"))
    np.save("in.npy", ((pixels.reshape(-1, c, h, w).astype(np.float32) / 255 - mean) / std).astype(np.float32))
    ok(run("infer", network, "--input", "in.npy", "--output", "out.npy"))
    return np.load("out.npy").reshape(len(pixels), -1)


def runs_from_a_file():
    with Browser("en-US") as page:
        page.open("demo/index.html")
        page.wait_for("document.documentElement.dataset.state")
        check(page.ask("document.documentElement.dataset.state") == "ready",
              page.ask("document.getElementById('status-text').textContent"), page.problems)
        check(not page.problems, page.problems)
        check(all(r.startswith(("file:", "blob:", "data:")) for r in page.requests), page.requests)
        content = json.loads(page.ask("JSON.stringify(window.penjing.content)"))
        check(len(content["pictures"]) == 24 and len(content["classes"]) == 10, len(content["pictures"]))
        for side, network in (("original", "demo/original.onnx"), ("pruned", "demo/pruned.onnx")):
            theirs = np.array(json.loads(page.ask(
                f"JSON.stringify(window.penjing.pictures.map((p) => p.answers.{side}.output))")))
            ours = engine_outputs(content, network)
            check(np.abs(theirs - ours).max() < 1e-4 * np.abs(ours).max(), side, np.abs(theirs - ours).max())
            check(page.ask(f"window.penjing.nets.{side}.times.every((t) => t > 0)"), "a run took no time")
        check([card for card in ("speed", "size", "macs", "accuracy") if not page.ask(
            f"document.getElementById('{card}').textContent.length > 10")] == [], "a card is empty")
        rows = page.ask("document.querySelectorAll('#panel-pruned li').length")
        check(rows == 5, f"{rows} answers, expected 5")
        # A click on another picture, then the keyboard.
        page.ask("document.querySelectorAll('.thumb')[7].click()")
        second = page.ask("document.getElementById('caption').textContent")
        check(content["classes"][content["pictures"][7]["label"]] in second, second)
        keep_picture(page, "demo-light")


def speaks_chinese_in_the_dark():
    with Browser("zh-CN", dark=True) as page:
        page.open("demo/index.html")
        page.wait_for("document.documentElement.dataset.state === 'ready'")
        check("剪枝" in page.ask("document.getElementById('panel-pruned').textContent"), "not in Chinese")
        check(page.ask("getComputedStyle(document.body).backgroundColor") == "rgb(23, 27, 25)", "not dark")
        keep_picture(page, "demo-dark-zh_CN")
        page.ask("document.getElementById('language').click()")
        check("Pruned" in page.ask("document.getElementById('panel-pruned').textContent"), "no way to English")


def takes_a_picture_of_ones_own():
    content = json.loads(re.search(r'id="content">(.*?)</script>', pathlib.Path("demo/index.html").read_text(), re.S).group(1))
    c, h, w = content["shape"]
    with Browser() as page:
        page.open("demo/index.html")
        page.wait_for("document.documentElement.dataset.state === 'ready'")
        # The third sample picture, saved from the page's own canvas, comes in as a file.
        url = page.ask("document.querySelectorAll('.thumb canvas')[2].toDataURL()")
        pathlib.Path("own.png").write_bytes(base64.b64decode(url.split(",")[1]))
        root = page.call("DOM.getDocument")["root"]["nodeId"]
        node = page.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
        page.call("DOM.setFileInputFiles", nodeId=node, files=[os.path.abspath("own.png")])
        page.wait_for("window.penjing.pictures.length === 25")
        page.wait_for("document.querySelectorAll('.thumb').length === 25")
        check(page.ask("window.penjing.pictures[24].bytes.join() === window.penjing.pictures[2].bytes.join()"),
              "the picture arrived changed")


def hostile_names_stay_text():
    """Class names are folder names: none may become part of the page."""
    names = ["<!--<script>", "a\"b\\c", "&amp;{{pruned}}"]
    colours = {n: i * 100 for i, n in enumerate(names)}
    for part in ("train", "test"):
        for name in names:
            os.makedirs(f"odd/{part}/{name}")
            for i in range(4):
                picture = np.full((28, 28), colours[name] + i, np.uint8)
                write_png(f"odd/{part}/{name}/{i}.png", picture)
    ok(run("train", "vgg-mini", "--data", "odd", "--steps", "2", "--batch", "4", "--session", "none", "--out", "odd.onnx"))
    ok(run("export", "odd.onnx", "--format", "demo", "--original", "odd.onnx", "--data", "odd", "--out", "odd-demo"))
    with Browser() as page:
        page.open("odd-demo/index.html")
        page.wait_for("document.documentElement.dataset.state")
        check(page.ask("document.documentElement.dataset.state") == "ready" and not page.problems, page.problems)
        shown = page.ask("[...document.querySelectorAll('#panel-pruned b')].map((b) => b.textContent).sort().join('|')")
        check(shown == "|".join(sorted(names)), shown)


def write_png(path, grey):
    import struct
    import zlib
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    h, w = grey.shape
    rows = b"".join(b"\0" + row.tobytes() for row in grey)
    pathlib.Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0))
                                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


main([prepare, says_what_is_missing, replaces_its_own_files_only, goes_where_it_was_told_to, runs_from_a_file, speaks_chinese_in_the_dark,
      takes_a_picture_of_ones_own, hostile_names_stay_text])
