# SPDX-License-Identifier: MIT
"""Pruning before or after a transfer, from the command line: its rows, what it refuses, and going on after a kill."""
import hashlib
import os
import signal

from harness import DATA, check, main, make_idx_set, make_model, ok, query, refused, run, start, stop, wait_for

COMMON = ["small-data", "net.onnx", "--data", "few", "--macs", "0.6", "--batch", "16", "--samples", "32", "--method", "weight-sum"]
ARGS = [*COMMON, "--large", DATA, "--epochs", "8", "--large-epochs", "1"]


def digest(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest()


def refusals():
    make_model()
    make_idx_set("few", n_train=48, n_test=32, n_classes=3)
    refused(run(*COMMON, "--epochs", "7", "--session", "none"), "7 epochs", "at least 8")
    refused(run(*COMMON, "--method", "thinet", "--session", "none"), "ThiNet")
    refused(run(*COMMON, "--macs", "0", "--session", "none"), "--macs", status=2)


def killed_and_resumed():
    """Killed on any of its ways, the experiment ends with the same rows and the same file."""
    straight = ok(run(*ARGS, "--out", "straight.onnx", "--json")).json
    rows = straight["rows"]
    check([row["row"] for row in rows] == ["t1", "transferred", "t2", "t2-curl"], straight)
    check(all(row["n"] == 32 for row in rows) and rows[2]["macs"] == rows[3]["macs"] < rows[1]["macs"], rows)
    session, out, command = "killed.penjing", "killed.onnx", [*ARGS, "--out", "killed.onnx"]
    for stage in ("t1-large", "t1-small", "transfer", "t2-mixup"):
        process = start(*command)
        wait_for(session, f"SELECT 1 FROM job WHERE settings LIKE '%stage {stage}\n%'", process)
        check(stop(process, signal.SIGKILL)[0] == -signal.SIGKILL, "it had ended")
        command = ["sessions", session, "resume"]
    check(not os.path.exists(out), "it had finished")
    result = ok(run(*command, "--json")).json
    check(result["rows"] == rows, result, straight)
    check(digest(out) == digest("straight.onnx"), "another file")
    made = "SELECT title, detail FROM step ORDER BY title, detail"
    check(query(session, made) == query("straight.penjing", made) != [], "a stage was done twice")
    check(query(session, "SELECT count(*) FROM checkpoint") == [(0,)], "checkpoints were left")
    refused(run("sessions", session, "resume"), "no job")


main([refusals, killed_and_resumed])
