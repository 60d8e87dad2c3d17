# SPDX-License-Identifier: MIT
"""AutoPruner's gates of whole blocks from the command line: which go, what is refused, and going on after a kill."""
import hashlib
import os
import signal

from harness import check, main, make_model, ok, refused, run, start, stop, wait_for

DATA = "sample?train=160&test=60"
ARGS = ["prune", "blocks.onnx", "--data", DATA, "--method", "autopruner", "--blocks", "0.6", "--epochs", "5", "--code-batch", "16",
        "--code-lr", "0.01"]


def digest(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest()


def killed_and_resumed():
    """Killed in the middle of the training, the same blocks go and the file is the same."""
    ok(run("train", "resnet20-0.25", "--data", DATA, "--steps", "20", "--batch", "16", "--test", "10", "--session", "none",
           "--out", "blocks.onnx"))
    done = ok(run(*ARGS, "--out", "straight.onnx", "--json"))
    straight = done.json
    check(3 <= len(straight["removed"]) <= 5, straight["removed"])
    check("Training gates of blocks is going to take about" in done.err and done.json["estimated_seconds"] >= 1, done)
    check(straight["stages"][1]["macs"] < straight["stages"][0]["macs"], straight["stages"])
    process = start(*ARGS, "--out", "killed.onnx")
    wait_for("killed.penjing", "SELECT 1 FROM point WHERE x >= 20", process)
    check(stop(process, signal.SIGKILL)[0] == -signal.SIGKILL, "it had ended")
    check(not os.path.exists("killed.onnx"), "it had finished")
    result = ok(run("sessions", "killed.penjing", "resume", "--json")).json
    check(result["removed"] == straight["removed"], result["removed"], straight["removed"])
    check(digest("killed.onnx") == digest("straight.onnx"), "another file")


def refusals():
    make_model()
    refused(run(*ARGS, "--blocks", "1", "--session", "none"), "below 1", status=2)
    refused(run(*ARGS, "--method", "thinet", "--session", "none"), "only AutoPruner", status=2)
    refused(run("prune", "net.onnx", *ARGS[2:], "--session", "none"), "0 residual blocks")


main([killed_and_resumed, refusals])
