# SPDX-License-Identifier: MIT
"""CURL from the command line: choosing, both stages of training, budgets, training anew."""
import signal
import struct

from harness import DATA, check, main, make_model, ok, query, refused, run, start, stop, wait_for, weights


def npy_floats(path):
    raw = open(path, "rb").read()
    n = struct.unpack("<H", raw[8:10])[0]
    body = raw[10 + n:]
    return raw[10:10 + n].decode(), struct.unpack(f"<{len(body) // 4}f", body)


def prune_by_stages():
    make_model()
    result = ok(run("prune", "net.onnx", "--data", DATA, "--method", "curl", "--macs", "0.5", "--samples", "32", "--finetune-a", "1",
                    "--finetune-b", "1", "--steps", "8", "--out", "small.onnx", "--json")).json
    stages = [s["stage"] for s in result["stages"]]
    check(stages == ["before", "cut", "recalibrated", "stage-a", "stage-b"], stages)
    check(result["stages"][1]["macs"] <= 0.5 * result["stages"][0]["macs"], result["stages"])
    check(result["method"] == "curl", result)
    # Both stages have the network before the cut for a teacher, and the labels of the second one are kept.
    jobs = query("small.penjing", "SELECT settings FROM job WHERE kind = 'fine-tune' ORDER BY id")
    check(len(jobs) == 2 and "mixup 1\n" in jobs[0][0] and "refine yes" in jobs[1][0], jobs)
    check(all("teacher-step 1\n" in j[0] for j in jobs), jobs)
    check(query("small.penjing", "SELECT n, classes, length (logits) FROM labels") == [(6 * 320, 10, 6 * 320 * 10 * 4)], "labels")


def kill_and_resume_refinement():
    train = ["train", "small.onnx", "--data", DATA, "--teacher", "net.onnx", "--curl-b", "--epochs", "1", "--batch", "16",
             "--refine-rate", "30", "--checkpoint", "0.05"]
    ok(run(*train, "--out", "straight.onnx", "--labels-out", "straight.npy"))
    process = start(*train, "--out", "killed.onnx")
    wait_for("killed.penjing", "SELECT 1 FROM checkpoint WHERE step > 10", process)
    check(stop(process, signal.SIGKILL)[0] == -signal.SIGKILL, "it had ended")
    ok(run("sessions", "killed.penjing", "resume"))
    check(weights("killed.onnx") == weights("straight.onnx"), "resumed refinement gave other weights")
    labels = "SELECT logits FROM labels"
    check(query("killed.penjing", labels) == query("straight.penjing", labels) != [], "resumed refinement gave other labels")
    head, numbers = npy_floats("straight.npy")
    check("(1920, 10)" in head and len(numbers) == 19200, head)
    check(struct.pack("<19200f", *numbers) == query("straight.penjing", labels)[0][0], "the file has other labels")
    ok(run("sessions", "killed.penjing", "labels", "--out", "later.npy"))
    check(open("later.npy", "rb").read() == open("straight.npy", "rb").read(), "the session gives other labels")
    refused(run("sessions", "killed.penjing", "labels"), "--out", status=2)
    refused(run("sessions", "killed.penjing", "labels", "99", "--out", "x.npy"), "--refine")


def trains_anew():
    ok(run("train", "small.onnx", "--data", DATA, "--fresh", "--steps", "2", "--out", "anew.onnx"))
    ok(run("train", "small.onnx", "--data", DATA, "--fresh", "--steps", "2", "--out", "again.onnx"))
    check(weights("anew.onnx") == weights("again.onnx") != weights("small.onnx"), "the same seed, other weights")
    info = [ok(run("info", f, "--json")).json for f in ("small.onnx", "anew.onnx")]
    check(info[0]["macs"] == info[1]["macs"], info)


def controls():
    ok(run("prune", "net.onnx", "--data", DATA, "--method", "scratch-b", "--keep", "0.5", "--finetune", "1", "--steps", "4", "--out",
           "scratch.onnx", "--session", "scratch.penjing", "--test", "50"))
    settings = query("scratch.penjing", "SELECT settings FROM job WHERE kind = 'train'")
    # A quarter of the work: twice the steps, and the learning rate of a beginning.
    check(len(settings) == 1 and "max-steps 8\n" in settings[0][0] and "lr 0.05" in settings[0][0], settings)


def budgets():
    for option, share in (("--memory", "0.7"), ("--ms", "0.8")):
        result = ok(run("prune", "net.onnx", "--data", DATA, option, share, "--method", "uniform-thin", "--test", "50", "--session", "none",
                        "--json")).json
        check(result["stages"][1]["macs"] < result["stages"][0]["macs"], option, result)


def refusals():
    refused(run("prune", "net.onnx", "--macs", "0.5", "--ms", "0.5"), "one of", status=2)
    refused(run("prune", "net.onnx", "--macs", "0.5", "--finetune", "1", "--finetune-b", "1"), "take the place", status=2)
    refused(run("prune", "net.onnx", "--memory", "2"), "shares from 0 to 1", status=2)
    refused(run("train", "net.onnx", "--data", DATA, "--curl-b"), "--teacher", status=2)
    refused(run("train", "net.onnx", "--data", DATA, "--refine", "--mixup", "1", "--teacher", "net.onnx"), "one of both", status=2)
    refused(run("train", "net.onnx", "--data", DATA, "--labels-out", "l.npy"), "--refine", status=2)
    refused(run("train", "net.onnx", "--data", DATA, "--expand", "zoom"), "erase or crop", status=2)
    refused(run("prune", "net.onnx", "--macs", "0.001", "--method", "curl", "--samples", "16", "--data", DATA, "--session", "none", "--test", "20"),
            "leave at least")


main([prune_by_stages, kill_and_resume_refinement, trains_anew, controls, budgets, refusals])
