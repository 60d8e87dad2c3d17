# SPDX-License-Identifier: MIT
"""Bad input of every kind: one clear sentence, status 1, no crash, and nothing that was stored is lost."""
import os
import pathlib
import random
import shutil
import sqlite3

from harness import DATA, check, environment, main, make_idx_set, make_model, ok, refused, run, weights, write_idx


def missing_onnx():
    refused(run("info", "nothing.onnx"), "nothing.onnx", "No such file")
    refused(run("train", "vgg-maxi"), "vgg-maxi", "vgg-mini")
    refused(run("eval", "."), "folder")


def truncated_onnx():
    make_model()
    whole = pathlib.Path("net.onnx").read_bytes()
    for n in (0, 1, 2, 17, 300, len(whole) // 2, len(whole) - 40, len(whole) - 1):
        pathlib.Path("cut.onnx").write_bytes(whole[:n])
        refused(run("info", "cut.onnx"), "cut.onnx")


def hostile_onnx():
    """Seeded damage anywhere: refused or still a network, never a crash."""
    whole = bytearray(pathlib.Path("net.onnx").read_bytes())
    rng = random.Random(1)
    for _ in range(25):
        bad = bytearray(whole)
        for _ in range(rng.choice((1, 3, 10))):
            # The structure is at both ends; the weights between them would hide the damage.
            at = rng.randrange(1500) if rng.random() < 0.5 else len(bad) - 1 - rng.randrange(1500)
            bad[at] = rng.randrange(256)
        pathlib.Path("bad.onnx").write_bytes(bad)
        result = run("info", "bad.onnx")
        check(result.status in (0, 1), result)
        if result.status == 1:
            refused(result, "bad.onnx")
    # A tensor that claims more numbers than any memory holds.
    pathlib.Path("huge.onnx").write_bytes(b"\x08\x08\x3a\x1a\x2a\x18" + b"\x08\xff\xff\xff\xff\xff\xff\xff\x7f" * 2 + b"\x10\x01\x42\x01w\x00")
    refused(run("info", "huge.onnx"), "huge.onnx")
    pathlib.Path("text.onnx").write_text("this is not a network\n" * 100)
    refused(run("info", "text.onnx"), "text.onnx")
    # Nobody writes into it: waiting for that would be for good.
    os.mkfifo("pipe.onnx")
    refused(run("info", "pipe.onnx"), "pipe.onnx", "plain file")
    refused(run("infer", "net.onnx", "--input", "pipe.onnx", "--output", "y.npy"), "pipe.onnx", "plain file")


def data_with_other_classes():
    make_idx_set("three", n_classes=3)
    refused(run("eval", "net.onnx", "--data", "three"), "3", "10")
    refused(run("train", "net.onnx", "--data", "three", "--session", "none"), "3", "10")
    refused(run("compare", "net.onnx", "--data", "three", "--session", "none"), "3", "10")
    # Pictures of another size are resized.
    make_idx_set("small", size=14)
    ok(run("eval", "net.onnx", "--data", "small"))


def damaged_data():
    refused(run("eval", "net.onnx", "--data", "nowhere"), "nowhere")
    os.makedirs("empty", exist_ok=True)
    refused(run("eval", "net.onnx", "--data", "empty"), "empty")
    make_idx_set("short")
    images = pathlib.Path("short/train-images-idx3-ubyte")
    images.write_bytes(images.read_bytes()[:-100])
    refused(run("eval", "net.onnx", "--data", "short"), "train-images-idx3-ubyte")
    make_idx_set("liar")
    write_idx("liar", "t10k-images-idx3-ubyte", (0xFFFFFFFF, 28, 28), b"\0" * 100)
    refused(run("eval", "net.onnx", "--data", "liar"), "t10k-images-idx3-ubyte")
    for name in ("a", "b"):
        os.makedirs(f"pictures/{name}", exist_ok=True)
        for i in range(6):
            pathlib.Path(f"pictures/{name}/{i}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    refused(run("train", "vgg-mini", "--data", "pictures", "--session", "none"), ".png")
    refused(run("eval", "net.onnx", "--data", "sample?train=lots"), "train=")


def bad_numbers():
    pathlib.Path("x.npy").write_bytes(b"nothing")
    refused(run("infer", "net.onnx", "--input", "x.npy", "--output", "y.npy"), "x.npy")
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }"
    pathlib.Path("x.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)
    refused(run("infer", "net.onnx", "--input", "x.npy", "--output", "y.npy"), "x.npy")
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 8, 8), }"
    pathlib.Path("x.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(4 * 192))
    refused(run("infer", "net.onnx", "--input", "x.npy", "--output", "y.npy"), "1×3×8×8", "1×28×28")
    check(not os.path.exists("y.npy"), "an output was written")


def wrong_choices():
    refused(run("prune", "net.onnx", "--keep", "conv9=0.5", "--data", DATA), "conv9")
    refused(run("prune", "net.onnx", "--keep", "fc=0.5", "--data", DATA), "fc", "output")
    refused(run("prune", "net.onnx", "--keep", "conv1=0", "--data", DATA), "conv1=0")
    refused(run("prune", "net.onnx", "--macs", "0.5", "--method", "thinet", "--data", DATA, "--session", "none"))
    refused(run("eval", "net.onnx", "--device", "vulkan:99"), "vulkan:99")
    refused(run("eval", "net.onnx", "--device", "abacus"), "abacus")


def unwritable_places():
    os.makedirs("folder.onnx", exist_ok=True)
    before = sorted(os.listdir())
    for out in ("/nonexistent/x.onnx", "/proc/x.onnx", "folder.onnx"):
        refused(run("export", "net.onnx", "--out", out), os.path.basename(out))
        refused(run("train", "net.onnx", "--data", DATA, "--steps", "1", "--session", "none", "--out", out), os.path.basename(out))
    refused(run("train", "vgg-mini", "--data", DATA, "--steps", "1", "--session", "/nonexistent/x.penjing"), "/nonexistent/x.penjing")
    refused(run("compare", "net.onnx", "--data", DATA, "--out", "/nonexistent/report.html"), "report.html")
    refused(run("sample", "--out", "net.onnx"), "net.onnx")
    check(sorted(os.listdir()) == before, "something was left behind:", set(os.listdir()) - set(before))


def full_disk():
    """Files may not grow beyond a limit: what a full disk looks like to the program."""
    ok(run("export", "net.onnx", "--out", "kept.onnx"))
    content = pathlib.Path("kept.onnx").read_bytes()
    refused(run("export", "net.onnx", "--out", "kept.onnx", limit_file_bytes=100_000), "kept.onnx")
    check(pathlib.Path("kept.onnx").read_bytes() == content, "the file that was there is damaged")
    ok(run("train", "net.onnx", "--data", DATA, "--steps", "1", "--session", "kept.penjing"))
    refused(run("train", "kept.penjing", "--data", DATA, "--steps", "2", limit_file_bytes=200_000), "kept.penjing")
    listing = ok(run("sessions", "kept.penjing", "--json")).json
    check(len(listing["steps"]) == 2 and listing["jobs"][0]["state"] == "done", listing)
    check(not [name for name in os.listdir() if name.endswith((".part", ".tmp"))], os.listdir())


def archives_survive():
    """What a search has judged outlives a full disk, and a search for something else."""
    search = ["spectrum", "net.onnx", "--data", DATA, "--criterion", "weight-sum", "--draws", "3", "--best", "1", "--samples", "20",
              "--batches", "1", "--test", "10", "--macs", "0.5", "--out", "sizes"]
    ok(run(*search))
    archive = pathlib.Path("sizes/archive.csv")
    before = archive.read_text()
    check(len(before.splitlines()) > 1, before)
    refused(run(*search, limit_file_bytes=40), "archive.csv")
    check(archive.read_text() == before, "the archive was lost")
    again = ok(run(*search))
    check(archive.read_text() == before and "earlier run" in again.err, again.err)
    ok(run(*search, "--seed", "2"))
    check(pathlib.Path("sizes/archive.old.csv").read_text() == before, "the archive of the other seed was lost")


def no_vulkan_driver():
    env = environment(VK_ICD_FILENAMES="/nonexistent", VK_DRIVER_FILES="/nonexistent")
    result = ok(run("devices", "--json", env=env)).json
    check([d["id"] for d in result["devices"]] == ["cpu"] and result["auto"] == "cpu" and result["no_vulkan"], result)
    refused(run("eval", "net.onnx", "--device", "vulkan:0", "--data", DATA, env=env), "Vulkan")
    ok(run("eval", "net.onnx", "--data", DATA, "--test", "10", env=env))


def newer_session():
    ok(run("train", "net.onnx", "--data", DATA, "--steps", "1", "--session", "good.penjing"))
    shutil.copy("good.penjing", "newer.penjing")
    with sqlite3.connect("newer.penjing") as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    before = pathlib.Path("newer.penjing").read_bytes()
    refused(run("sessions", "newer.penjing"), "newer")
    refused(run("eval", "newer.penjing"), "newer")
    refused(run("train", "newer.penjing", "--data", DATA, "--steps", "1"), "newer")
    check(pathlib.Path("newer.penjing").read_bytes() == before, "the newer session was changed")


def damaged_session():
    whole = pathlib.Path("good.penjing").read_bytes()
    for n in (1, 50, 100, len(whole) // 3, len(whole) - 4096):
        pathlib.Path("cut.penjing").write_bytes(whole[:n])
        refused(run("sessions", "cut.penjing"), "cut.penjing")
    rng = random.Random(2)
    for _ in range(12):
        bad = bytearray(whole)
        for _ in range(40):
            bad[rng.randrange(100, len(bad))] = rng.randrange(256)
        pathlib.Path("bad.penjing").write_bytes(bad)
        for verb in (["sessions", "bad.penjing"], ["sessions", "bad.penjing", "export", "1", "--out", "x.onnx"]):
            result = run(*verb)
            check(result.status in (0, 1), result)
            if result.status == 1:
                refused(result)
    pathlib.Path("text.penjing").write_text("not a session" * 20)
    refused(run("sessions", "text.penjing"), "text.penjing", "not a Penjing session")
    refused(run("sessions", "nothing.penjing"), "nothing.penjing")
    with sqlite3.connect("other.db") as db:
        db.execute("CREATE TABLE t (x)")
    db.close()
    refused(run("info", "other.db"), "other.db", "not a Penjing session")


def changed_weights_are_noticed():
    shutil.copy("good.penjing", "changed.penjing")
    with sqlite3.connect("changed.penjing") as db:
        db.execute("UPDATE blob SET data = zeroblob (length (data)) WHERE length (data) > 1000")
    db.close()
    refused(run("eval", "changed.penjing", "--data", DATA), "changed.penjing", "damaged")
    check(weights("net.onnx"), "the network itself is gone")


main([missing_onnx, truncated_onnx, hostile_onnx, data_with_other_classes, damaged_data, bad_numbers, wrong_choices, unwritable_places,
      full_disk, archives_survive, no_vulkan_driver, newer_session, damaged_session, changed_weights_are_noticed])
