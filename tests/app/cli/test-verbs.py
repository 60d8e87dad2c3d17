# SPDX-License-Identifier: MIT
"""Every verb does what its help says, in text and in JSON."""
import csv
import os
import pathlib
import struct
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

from harness import DATA, check, main, make_model, ok, refused, run, weights

VERBS = ["devices", "info", "infer", "train", "eval", "score", "sensitivity", "parts", "prune", "compare", "spectrum", "export", "sessions", "bench", "tables", "sample"]


def help_has_examples():
    text = ok(run("--help")).out
    for verb in VERBS:
        check(f"\n  {verb} " in text, f"{verb} is not in the list of verbs")
        page = ok(run(verb, "--help")).out
        check("Examples:" in page and f"penjing-cli {verb}" in page, page)
        for option in ("--device", "--seed", "--json"):
            check(option in page, f"{verb} --help does not say {option}")


def slips_are_usage_errors():
    refused(run(), status=2)
    refused(run("trian"), "did you mean train?", status=2)
    refused(run("frobnicate"), "frobnicate", status=2)
    refused(run("eval"), "MODEL", status=2)
    refused(run("eval", "a.onnx", "b.onnx"), "b.onnx", status=2)
    refused(run("prune", "x.onnx", "--kep", "0.5"), "did you mean --keep?", status=2)
    refused(run("prune", "x.onnx"), "--keep", status=2)
    refused(run("prune", "x.onnx", "--keep", "0.5", "--macs", "0.5"), "one of", status=2)
    refused(run("prune", "x.onnx", "--keep", "0.5", "--method", "apos"), "did you mean apoz?", status=2)
    refused(run("score", "x.onnx", "--criterion", "weigth-sum"), "did you mean weight-sum?", status=2)
    refused(run("compare", "x.onnx", "--keep", "0.5,1.5"), "1.5", status=2)
    refused(run("infer", "x.onnx"), "--input", status=2)
    refused(run("train", "vgg-mini", "--epochs", "many"), "many", status=2)
    refused(run("train", "vgg-mini", "--lr", "nan"), "--lr", status=2)
    refused(run("train", "vgg-mini", "--temperature", "inf"), "--temperature", status=2)
    refused(run("spectrum", "x.onnx", "--floor", "-1", "--out", "sizes"), "negative", status=2)
    refused(run("sessions", "x.penjing", "lst"), "did you mean list?", status=2)
    refused(run("export", "x.onnx", "--format", "gif", "--out", "x"), "gif", status=2)


def devices():
    result = ok(run("devices", "--json")).json
    check(result["devices"][0]["id"] == "cpu", result)
    chosen = [d for d in result["devices"] if d["id"] == result["auto"]]
    check(len(chosen) == 1 and not chosen[0]["software"], result)
    check("auto" in ok(run("devices")).out, "text does not say what auto takes")


def train_and_eval():
    make_model("a.onnx")
    result = ok(run("eval", "a.onnx", "--data", DATA, "--json")).json
    check(result["n"] == 100 and 0.0 <= result["top1"] <= result["top5"] <= 1.0, result)
    note = ok(run("info", "a.onnx", "--json")).json["notes"]["penjing.accuracy"]
    check(abs(float(note.split()[0]) - result["top1"]) < 1e-6, "the note says", note, "eval", result["top1"])
    few = ok(run("eval", "a.onnx", "--data", DATA, "--test", "30", "--per-class", "--json")).json
    check(few["n"] == 30 and len(few["classes"]) == 10, few)


def devices_agree():
    """The same weights and pictures give the same answers on every device; 300 pictures."""
    first = None
    for device in [d["id"] for d in ok(run("devices", "--json")).json["devices"]]:
        result = ok(run("eval", "a.onnx", "--data", "sample?train=40&test=300", "--device", device, "--json")).json
        check(result["device"] == device and result["n"] == 300, result)
        first = first or result
        check(result["top1"] == first["top1"] and abs(result["loss"] - first["loss"]) < 1e-4, first, result)


def seed_decides():
    make_model("b.onnx")
    make_model("c.onnx", 3, "--seed", "2")
    check(weights("a.onnx") == weights("b.onnx"), "the same seed gave other weights")
    check(weights("a.onnx") != weights("c.onnx"), "another seed gave the same weights")


def info_counts():
    result = ok(run("info", "a.onnx", "--json", "--check")).json
    check(result["macs"] == 29128448 and result["params"] == 288170, result["macs"], result["params"])
    check(result["macs"] == sum(layer["macs"] for layer in result["layers"]), "layers do not add up")
    named = ok(run("info", "resnet50-0.5", "--classes", "200", "--json")).json
    check(named["classes"] == 200 and named["model"] == "resnet50-0.5" and named["input"] == [1, 3, 224, 224], named["model"])
    refused(run("info", "a.onnx", "--classes", "200"), "by name", status=2)
    groups = {group["name"]: group for group in result["groups"]}
    check(groups["fc"]["locked"] and "output" in groups["fc"]["lock_reason"], groups["fc"])
    check(groups["conv2"]["channels"] == 32 and not groups["conv2"]["locked"], groups["conv2"])
    check(len(result["check"]) == 6 and all(row["difference"] < 1e-4 for row in result["check"]), result["check"])
    check("29.13 M" in ok(run("info", "a.onnx")).out, "text does not say the MACs")


def write_npy(path, shape, numbers, descr="<f4", code="f"):
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack(f"<{len(numbers)}{code}", *numbers))


def read_npy(path):
    data = open(path, "rb").read()
    check(data[:6] == b"\x93NUMPY", "not an .npy file")
    length = struct.unpack("<H", data[8:10])[0]
    head = eval(data[10:10 + length])
    check((10 + length) % 64 == 0 and head["descr"] == "<f4", head)
    body = data[10 + length:]
    return head["shape"], struct.unpack(f"<{len(body) // 4}f", body)


def infer_batches_agree():
    numbers = [((i * 37) % 101 - 50) / 25 for i in range(5 * 784)]
    write_npy("x.npy", (5, 1, 28, 28), numbers)
    ok(run("infer", "a.onnx", "--input", "x.npy", "--output", "y.npy"))
    result = ok(run("infer", "a.onnx", "--input", "x.npy", "--output", "z.npy", "--batch", "2", "--json")).json
    check(result["n"] == 5 and result["shape"] == [5, 10], result)
    (shape, y), (_, z) = read_npy("y.npy"), read_npy("z.npy")
    check(shape == (5, 10) and max(abs(a - b) for a, b in zip(y, z)) < 1e-4, "batches disagree")
    check(max(abs(a - b) for a, b in zip(y[:10], y[10:20])) > 1e-4, "different images gave the same outputs")
    write_npy("one.npy", (1, 28, 28), numbers[:784])
    ok(run("infer", "a.onnx", "--input", "one.npy", "--output", "w.npy"))
    check(max(abs(a - b) for a, b in zip(read_npy("w.npy")[1], y[:10])) < 1e-4, "one image alone gave other outputs")
    write_npy("bytes.npy", (1, 1, 28, 28), [i % 256 for i in range(784)], "|u1", "B")
    ok(run("infer", "a.onnx", "--input", "bytes.npy", "--output", "w.npy"))


def score_lists_channels():
    names = [c["name"] for c in ok(run("score", "--list", "--json")).json["criteria"]]
    check({"random", "weight-sum", "apoz"} <= set(names), names)
    result = ok(run("score", "a.onnx", "--criterion", "weight-sum", "--csv", "s.csv", "--json")).json
    first = result["groups"][0]
    check(first["group"] == "conv1" and len(first["scores"]) == 32 and min(first["scores"]) > 0, first)
    rows = list(csv.DictReader(open("s.csv")))
    check(len(rows) == 2 * (32 + 64 + 128), len(rows))
    check(abs(float(rows[5]["score"]) - first["scores"][5]) < 1e-12, rows[5])
    apoz = ok(run("score", "a.onnx", "--criterion", "apoz", "--data", DATA, "--samples", "64", "--json")).json
    check(apoz["images"] == 64 and all(0 <= s <= 1 for g in apoz["groups"] for s in g["scores"]), apoz["images"])


def sensitivity_reads_groups():
    args = ["sensitivity", "a.onnx", "--data", DATA, "--keep", "1,0.5,0.1"]
    result = ok(run(*args, "--csv", "curves.csv", "--json")).json
    whole = ok(run("eval", "a.onnx", "--data", DATA, "--json")).json
    check(result["n"] == 100 and abs(result["top1"] - whole["top1"]) < 1e-9, result["top1"], whole["top1"])
    groups = {g["group"]: g for g in result["groups"]}
    check(list(groups) == [f"conv{i}" for i in range(1, 7)], list(groups))
    points = groups["conv6"]["points"]
    check([p["kept"] for p in points] == [128, 64, 12] and points[0]["kl"] == 0, points)
    check(points[0]["top1"] == result["top1"] and 0 < points[1]["kl"] < points[2]["kl"], points)
    check(all("points" in g["reading"] or "nothing" in g["reading"] for g in groups.values()), groups)
    rows = list(csv.DictReader(open("curves.csv")))
    check(len(rows) == 18 and abs(float(rows[-1]["kl"]) - points[2]["kl"]) < 1e-12, rows[-1])
    check("reading" in ok(run(*args, "--session", "none")).out, "no table")
    refused(run("sensitivity", "a.onnx", "--keep", "0"), "0", status=2)
    refused(run("sensitivity", "a.onnx", "--criterion", "apos"), "apos", status=2)


def prune_makes_it_smaller():
    result = ok(run("prune", "a.onnx", "--data", DATA, "--keep", "0.5", "--keep", "conv6=0.25", "--method", "weight-sum", "--steps", "2",
                    "--batch", "32", "--out", "small.onnx", "--json")).json
    check(result["kept"] == {"conv1": 16, "conv2": 16, "conv3": 32, "conv4": 32, "conv5": 64, "conv6": 32}, result["kept"])
    check([s["stage"] for s in result["stages"]] == ["before", "cut", "recalibrated", "tuned"], result["stages"])
    info = ok(run("info", "small.onnx", "--json")).json
    check(info["macs"] == result["stages"][-1]["macs"] == result["out"]["macs"] < 29128448 / 3, info["macs"])
    check(info["notes"]["penjing.criterion"] == "weight-sum" and info["notes"]["penjing.base-macs"] == "29128448", info["notes"])
    check(info["notes"]["penjing.base-accuracy"] == f"{result['stages'][0]['top1']:.6g} of 100", info["notes"])
    shapes = [layer["output"][1] for layer in info["layers"] if layer["op"] == "conv"]
    check(shapes == [16, 16, 32, 32, 64, 32], shapes)
    check(os.path.exists("small.penjing"), "no session beside the result")
    measured = ok(run("eval", "small.onnx", "--data", DATA, "--json")).json
    check(abs(measured["top1"] - result["stages"][-1]["top1"]) < 1e-9, "the file scores", measured["top1"])


def prune_by_budget():
    result = ok(run("prune", "a.onnx", "--data", DATA, "--macs", "0.4", "--method", "weight-sum", "--no-recalibrate", "--session", "none",
                    "--json")).json
    share = result["stages"][-1]["macs"] / result["stages"][0]["macs"]
    check(0.36 <= share <= 0.4, share)
    check("session" not in result, "a session was made")
    result = ok(run("prune", "a.onnx", "--data", DATA, "--keep", "conv3=0.5", "--samples", "128", "--no-recalibrate", "--session", "none",
                    "--json")).json
    check(result["method"] == "thinet-ls" and result["kept"]["conv3"] == 32 and result["kept"]["conv2"] == 32, result["kept"])


def prune_without_pictures():
    without = ["prune", "a.onnx", "--data", "none", "--keep", "0.5"]
    result = ok(run(*without, "--method", "weight-sum", "--out", "blind.onnx", "--json")).json
    seen = ok(run("prune", "a.onnx", "--data", DATA, "--keep", "0.5", "--method", "weight-sum", "--no-recalibrate", "--session", "none",
                  "--out", "seen.onnx", "--json")).json
    check([s["stage"] for s in result["stages"]] == ["before", "cut"] and result["kept"] == seen["kept"], result)
    check(all(s["n"] == 0 and "top1" not in s for s in result["stages"]), result["stages"])
    check(result["stages"][1]["macs"] == seen["stages"][1]["macs"] and "data" not in result, result)
    check(weights("blind.onnx") == weights("seen.onnx"), "other weights")
    table = ok(run(*without, "--method", "bn-scale", "--session", "none")).out
    check("no pictures" in table and "–" in table, table)
    for more, word in ([["--method", "thinet"], "weight-sum"], [["--method", "weight-sum", "--finetune", "1"], "training"],
                       [["--method", "scratch-e"], "training"], [["--method", "weight-sum", "--drop-blocks", "1"], "--drop-block"]):
        refused(run(*without, *more), word, status=2)


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.counts = [], {}

    def handle_starttag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.links += [value for name, value in attrs if name in ("src", "href")]


def compare_writes_a_report():
    result = ok(run("compare", "a.onnx", "--data", DATA, "--criteria", "random,weight-sum,thinet", "--keep", "0.5,0.75", "--samples", "128",
                    "--test", "50", "--out", "report.html", "--json")).json
    check(len(result["rows"]) == 10 and result["n_test"] == 50, result["rows"])
    check(all(row["macs"] < result["base"]["macs"] for row in result["rows"]), result["rows"])
    table = list(csv.DictReader(open("report.csv")))
    check(len(table) == 11 and table[0]["method"] == "not cut", table)
    check(abs(float(table[1]["top1_cut"]) - result["rows"][0]["cut"]) < 1e-4, table[1])
    text = open("report.html", encoding="utf-8").read()
    page = Page()
    page.feed(text)
    check(page.links == [] and "http" not in text.replace("http-equiv", ""), "the page needs something else:", page.links)
    check(page.counts["svg"] == 2 + 2 * 3 * 6, page.counts)
    check("prefers-color-scheme" in text, "no dark colours")
    plot = text[text.index("<svg"):text.index("</svg>") + 6]
    marks = [e for e in ET.fromstring(plot).iter("path") if e.find("title") is not None]
    check(len(marks) == 6 and sum("over 3 seeds" in e.find("title").text for e in marks) == 2, len(marks))
    check(plot.count("whisker") == 2 * 3, "random has no whiskers")
    means = list(csv.DictReader(open("report-means.csv")))
    check([m["seeds"] for m in means] == ["3", "3", "1", "1", "1", "1"], means)
    drawn = [r["cut"] for r in result["rows"] if r["method"] == "random" and r["keep"] == 0.5]
    check(abs(float(means[0]["cut"]) - sum(drawn) / 3) < 1e-3 and len(drawn) == 3, means[0], drawn)
    agreement = result["agreement"][0]
    check(agreement["methods"] == ["random", "weight-sum", "thinet"], agreement)
    for matrix, least in ((agreement["overlap"], 0), (agreement["rank_correlation"], -1)):
        check(all(abs(matrix[i][i] - 1) < 1e-9 for i in range(3)), matrix)
        check(all(matrix[i][k] == matrix[k][i] and least <= matrix[i][k] <= 1 for i in range(3) for k in range(3)), matrix)
    check(len(result["layers"]) == 2 * 6 and all(l["kl"][l["winner"]] == min(l["kl"].values()) for l in result["layers"]), result["layers"])
    mean = result["means"][2]
    right = sum(c["top1"] * c["pictures"] for c in mean["classes"])
    check(abs(right / 50 - (mean["recalibrated"] if mean["recalibrated"] >= 0 else mean["cut"])) < 1e-6, mean)
    again = ok(run("sessions", "report.penjing", "report", "--out", "again.html", "--json")).json
    check([r["cut"] for r in again["rows"]] == [r["cut"] for r in result["rows"]], "the stored rows differ")


def seeds_and_starts():
    rows = ok(run("compare", "a.onnx", "--data", DATA, "--criteria", "weight-sum,thinet", "--keep", "0.5", "--samples", "128", "--test", "50",
                  "--seeds", "4,9", "--finetune", "1", "--steps", "1", "--layer-test", "0", "--session", "none", "--json")).json["rows"]
    check([(r["method"], r["seed"], r["start"]) for r in rows] == [
        ("weight-sum", 4, "norms again"), ("thinet", 4, "as cut"), ("weight-sum", 9, "norms again"), ("thinet", 9, "as cut")], rows)
    both = ok(run("compare", "a.onnx", "--data", DATA, "--criteria", "thinet", "--keep", "0.5", "--samples", "128", "--test", "50", "--seeds", "4",
                  "--finetune", "1", "--steps", "1", "--start", "both", "--session", "none", "--json")).json["rows"]
    check([r["start"] for r in both] == ["as cut", "norms again"] and both[0]["tuned"] == rows[1]["tuned"], both)
    refused(run("compare", "a.onnx", "--data", DATA, "--seeds", "1,x"), "x", status=2)
    refused(run("compare", "a.onnx", "--data", DATA, "--seeds", "3,3", "--session", "none"), "seed 3 is named twice")
    refused(run("compare", "a.onnx", "--data", DATA, "--start", "here"), "here", status=2)


def eval_against_another():
    result = ok(run("eval", "small.onnx", "--data", DATA, "--test", "60", "--per-class", "--against", "a.onnx", "--json")).json
    other = ok(run("eval", "a.onnx", "--data", DATA, "--test", "60", "--json")).json
    against = result["against"]
    check(against["top1"] == other["top1"], against["top1"], other["top1"])
    check(len(result["changed"]) == against["answers_changed"] > 0, against)
    check(all(c["before"] != c["now"] for c in result["changed"]), result["changed"])
    gained = against["newly_right"] - against["newly_wrong"]
    check(abs(gained / 60 - (result["top1"] - other["top1"])) < 1e-9, against)
    check(sum(c["pictures"] for c in against["classes"]) == 60, against["classes"])


def sessions_keep_everything():
    listing = ok(run("sessions", "small.penjing", "--json")).json
    titles = [step["title"] for step in listing["steps"]]
    check(len(titles) == 5 and listing["current"] == listing["steps"][-1]["id"], titles)
    check(all(job["state"] == "done" for job in listing["jobs"]), listing["jobs"])
    shown = ok(run("sessions", "small.penjing", "show", listing["steps"][1]["id"], "--json")).json
    check(shown["kept"]["conv6"] == 32 and shown["macs_after"] < shown["macs"], shown)
    ok(run("sessions", "small.penjing", "export", listing["steps"][0]["id"], "--out", "back.onnx"))
    check(weights("back.onnx") == weights("a.onnx"), "the first step is not the network that came in")
    ok(run("sessions", "small.penjing", "go", listing["steps"][0]["id"]))
    check(ok(run("info", "small.penjing", "--json")).json["macs"] == 29128448, "go did not go")
    refused(run("sessions", "small.penjing", "show", "99"), "99")
    refused(run("sessions", "small.penjing", "resume"), "no job")


def export_is_checked():
    # Demos, which are folders, have a test of their own.
    for name in [f["name"] for f in ok(run("export", "--list", "--json")).json["formats"] if not f["folder"]]:
        result = ok(run("export", "a.onnx", "--format", name, "--out", f"{name}.onnx", "--json")).json["out"]
        check(result["difference"] < 1e-4 and result["bytes"] == os.path.getsize(f"{name}.onnx"), result)
        notes = ok(run("info", f"{name}.onnx", "--json")).json["notes"]
        check(float(notes["penjing.file-difference"]) < 1e-4, notes)
    check(ok(run("info", "onnx-folded.onnx", "--json")).json["norm_channels"] == 0, "norms are still there")
    check(not [f for f in os.listdir() if f.endswith(".part")], "a trial file was left")

def export_leaves_the_rest_alone():
    """What happens to have the name of a trial is somebody else's, and a link stays one."""
    os.mkdir("far")
    for name, text in {"link.onnx.part": "a download", "far/b.onnx.part": "another", "far/b.onnx": "older"}.items():
        pathlib.Path(name).write_text(text)
    os.symlink("far/b.onnx", "link.onnx")
    ok(run("export", "a.onnx", "--out", "link.onnx"))
    check(pathlib.Path("link.onnx.part").read_text() == "a download", "it was written over")
    check(pathlib.Path("far/b.onnx.part").read_text() == "another", "it was written over")
    check(os.path.islink("link.onnx") and sorted(os.listdir("far")) == ["b.onnx", "b.onnx.part"], os.listdir("far"))
    check(weights("link.onnx") == weights("a.onnx"), "the link leads to another network")


def norms_come_back():
    """A folded network gets its norms back, and loses them again when it is exported."""
    result = ok(run("norms", "onnx-folded.onnx", "--data", DATA, "--images", "100", "--out", "normed.onnx", "--json")).json
    check(result["norms"] == 6 and result["difference"] < 1e-5, result)
    check(ok(run("info", "normed.onnx", "--json")).json["norm_channels"] > 0, "there are no norms")
    ok(run("score", "normed.onnx", "--data", DATA, "--criterion", "bn-scale"))
    out = ok(run("export", "normed.onnx", "--out", "again.onnx", "--json")).json["out"]
    check(out["difference"] < 1e-4 and ok(run("info", "again.onnx", "--json")).json["norm_channels"] == 0, out)
    check("no norm is missing" in ok(run("norms", "a.onnx", "--data", DATA, "--out", "same.onnx")).out, "norms were added twice")
    refused(run("norms", "onnx-folded.onnx", "--data", "nowhere", "--out", "x.onnx"), "nowhere")


def bench_times_calls():
    result = ok(run("bench", "plan", "a.onnx", "--batch", "4", "--repeats", "2", "--json")).json
    check(result["calls"] and all(call["ms"] >= 0 for call in result["calls"]), result)
    check(any(call["kernel"] == "conv" and call["flops"] > 0 for call in result["calls"]), result["calls"])
    runs = ok(run("bench", "a.onnx", "--batch", "4", "--repeats", "2", "--json")).json["runs"]
    check(len(runs) == 2 and all(r["images_per_second"] > 0 for r in runs), runs)


def parts_go_whole():
    ok(run("train", "resnet20-0.25", "--data", DATA, "--steps", "3", "--batch", "16", "--test", "10", "--out", "blocks.onnx"))
    parts = ok(run("parts", "blocks.onnx", "--judge", "blocks", "--data", DATA, "--samples", "20", "--json")).json["parts"]
    blocks = {part["name"]: part for part in parts if part["kind"] == "block"}
    check(len(blocks) == 9 and all(block["kl"] >= 0 for block in blocks.values()), blocks)
    check(all("kl" not in part for part in parts if part["kind"] == "layer"), parts)
    before = ok(run("info", "blocks.onnx", "--json")).json
    args = ["prune", "blocks.onnx", "--data", DATA, "--test", "20", "--no-recalibrate"]
    result = ok(run(*args, "--drop-block", "stage2.block3", "--drop-layer", "stage3.block2.conv2", "--out", "fewer.onnx", "--json")).json
    check([s["stage"] for s in result["stages"]] == ["before", "dropped"], result["stages"])
    after = ok(run("info", "fewer.onnx", "--json")).json
    layer = [part for part in parts if part["name"] == "stage3.block2.conv2"][0]
    check(before["macs"] - after["macs"] == blocks["stage2.block3"]["macs"] + layer["macs"], before["macs"], after["macs"])
    titles = [step["title"] for step in ok(run("sessions", "fewer.penjing", "--json")).json["steps"]]
    check(any("stage2.block3" in title for title in titles), titles)
    weakest = sorted(blocks, key=lambda name: blocks[name]["kl"])
    both = ok(run(*args, "--drop-blocks", "2", "--keep", "0.5", "--method", "weight-sum", "--session", "none", "--json")).json
    check(len(both["removed"]) == 2 and [s["stage"] for s in both["stages"]] == ["before", "dropped", "cut"], both["removed"], weakest)
    refused(run(*args, "--drop-block", "stage9", "--session", "none"), "no block “stage9”")
    refused(run(*args, "--drop-layer", "stage2.block3", "--session", "none"), "no layer “stage2.block3”")
    refused(run(*args, "--drop-blocks", "10", "--session", "none"), "only 9 blocks")


def stages_are_chosen():
    def kept(*more):
        return ok(run("prune", "blocks.onnx", "--data", DATA, "--test", "10", "--method", "weight-sum", "--no-recalibrate", "--session", "none",
                      "--json", *more)).json["kept"]
    whole = {g["name"]: g["channels"] for g in ok(run("info", "blocks.onnx", "--json")).json["groups"] if not g["locked"]}
    streams = [name for name in whole if not name.endswith("conv1")]
    hourglass = kept("--macs", "0.6", "--widths", "hourglass")
    check(all(hourglass[name] == whole[name] for name in streams), hourglass)
    check(any(hourglass[name] < whole[name] for name in whole), hourglass)
    even = kept("--keep", "0.9", "--keep", "stage3.block2.conv1=0.5", "--widths", "bottleneck")
    check(all(even[name] * 2 == whole[name] for name in whole), even, whole)
    check(all(n % 2 == 0 for n in kept("--params", "0.5", "--round", "2").values()), "not rounded")
    # 0.55 of 16 channels is 8.8: AMC's rule takes the nearest whole number first, and leaves less than 8 channels alone.
    for rule, left in (("amc", {4: 4, 8: 8, 16: 16}), ("8", {4: 4, 8: 8, 16: 8})):
        rounded = kept("--keep", "0.55", "--round", rule)
        check(16 in whole.values() and all(n == left[whole[name]] for name, n in rounded.items()), rule, rounded)
    refused(run("prune", "blocks.onnx", "--keep", "0.5", "--round", "few"), "amc", status=2)
    result = ok(run("prune", "blocks.onnx", "--data", DATA, "--test", "10", "--method", "weight-sum", "--keep", "0.5", "--session", "none",
                    "--constants", "exact"))
    check("never change and are not 0: 0" in result.err, result.err)
    refused(run("prune", "blocks.onnx", "--data", DATA, "--method", "thinet", "--keep", "0.5", "--constants", "all", "--session", "none"),
            "changes the weights itself")
    refused(run("prune", "blocks.onnx", "--keep", "0.5", "--constants", "some"), "none, exact or all", status=2)
    refused(run("prune", "blocks.onnx", "--keep", "0.5", "--widths", "flask"), "hourglass", status=2)
    refused(run("prune", "blocks.onnx", "--keep", "0.5", "--tied", "least"), "fragile", status=2)
    tied = {}
    for word in ("usual", "max", "fragile"):
        result = ok(run("score", "blocks.onnx", "--tied", word, "--json")).json
        tied[word] = {g["group"]: g["scores"] for g in result["groups"]}
    inner = [name for name in whole if name not in streams]
    check(all(tied["max"][name] == tied["usual"][name] for name in inner), "one layer is not tied to itself")
    check(tied["max"]["stem"] != tied["usual"]["stem"], tied["max"]["stem"])


def tables_agree():
    result = ok(run("tables", "--json")).json
    rows = {row["name"]: row for row in result["rows"]}
    check(result["agree"] == 40 and result["differ"] == 4 and len(rows) == 32, result["agree"], result["differ"], len(rows))
    check(rows["ThiNet-30"]["caffe"] == 8621806 + 2 * 21256 and rows["ThiNet-30"]["macs"] == 1097492539, rows["ThiNet-30"])
    text = ok(run("tables")).out
    check("8.66M caffe; 2.20B flops_caffe" in text and "5.22B flops (differs: 5.1986)" in text, text)


def names_make_networks():
    names = [arch["name"] for arch in ok(run("train", "--list", "--json")).json["archs"]]
    check("resnet20" in names and "mobilenetv2" in names and "vgg16-bn" in names, names)
    refused(run("train", "resnett20", "--data", DATA), "did you mean resnet20?")
    refused(run("train", "a.onnx", "--width", "0.5"), "by name", status=2)
    ok(run("train", "resnet20-0.25", "--data", DATA, "--steps", "2", "--batch", "8", "--test", "10", "--out", "thin.onnx"))
    info = ok(run("info", "thin.onnx", "--json")).json
    check(info["model"] == "resnet20-0.25" and [g["channels"] for g in info["groups"]][:2] == [4, 4], info["groups"])


def sample_tells_the_story():
    args = ["sample", "--out", "story", "--data", DATA, "--steps", "2", "--epochs", "1", "--test", "50"]
    result = ok(run(*args, "--json")).json
    check([s["stage"] for s in result["stages"]] == ["before", "cut", "recalibrated", "tuned"], result["stages"])
    check(len(result["rows"]) == 8, result["rows"])
    for name in ("vgg-mini.onnx", "vgg-mini-thin.onnx", "report.html", "report.csv", "sample.penjing"):
        check(os.path.exists(os.path.join("story", name)), name, "is missing")
    jobs = ok(run("sessions", "story/sample.penjing", "--json")).json["jobs"]
    check(ok(run("info", "story/vgg-mini-thin.onnx", "--json")).json["macs"] == 7338880, "the thin network is not thin")
    again = ok(run(*args, "--json"))
    check(again.json["stages"] == result["stages"], "the second time tells something else")
    check(len(ok(run("sessions", "story/sample.penjing", "--json")).json["jobs"]) == len(jobs), "the second time measured again")


def text_and_json_exclude_each_other():
    check(ok(run("eval", "a.onnx", "--data", DATA, "--test", "10", "--json", "--quiet")).err == "", "--quiet is not quiet")
    ok(run("eval", "a.onnx", "--data", DATA, "--test", "10", "--json")).json


main([help_has_examples, slips_are_usage_errors, devices, train_and_eval, devices_agree, seed_decides, info_counts, infer_batches_agree, score_lists_channels,
      sensitivity_reads_groups,
      prune_makes_it_smaller, prune_by_budget, prune_without_pictures, compare_writes_a_report, seeds_and_starts, eval_against_another,
      sessions_keep_everything, export_is_checked, export_leaves_the_rest_alone, norms_come_back, bench_times_calls, parts_go_whole,
      stages_are_chosen, tables_agree,
      names_make_networks,
      sample_tells_the_story, text_and_json_exclude_each_other])
