# SPDX-License-Identifier: MIT
"""Every method has the same life: stopped or killed it goes on to the same file, and its record says what it did with which
seed and settings, on which device and for how long."""
import hashlib
import os
import signal

from harness import DATA, check, main, make_model, ok, query, run, start, stop, wait_for

# Settings with which each takes about a second.  Criteria choose all alike; the others are named.
QUICK = {
    "autopruner": ["--epochs", "1", "--order", "together"],
    "sss": ["--gate-epochs", "1"], "gdp": ["--gate-epochs", "1", "--draws", "2"], "gal": ["--gate-epochs", "1"],
    "taylor-steps": ["--gate-epochs", "1", "--rounds", "2"],
    "amc": ["--episodes", "12", "--warmup", "6"],
    "scratch-e": ["--finetune", "1", "--steps", "3"], "scratch-b": ["--finetune", "1", "--steps", "3"],
}
BUDGET = ["amc", "equal-loss", "curl"]
SAMPLES = {"thinet": "256", "thinet-ls": "256", "channel-pruning": "256", "autopruner": "320", "sss": "320", "gdp": "320", "gal": "320",
           "taylor-steps": "320"}
COMMON = ["--test", "20", "--seed", "5", "--no-recalibrate"]


def digest(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest()


def arguments(method):
    how_much = ["--macs", "0.6"] if method in BUDGET else ["--keep", "0.5"]
    return ["prune", "net.onnx", "--data", DATA, "--method", method, *how_much, "--samples", SAMPLES.get(method, "64"), *COMMON,
            *QUICK.get(method, [])]


def methods():
    """One stands for the criteria; TEST_ALL_METHODS takes all."""
    names = [m["name"] for m in ok(run("prune", "--list", "--json")).json["methods"]]
    criteria = [c["name"] for c in ok(run("score", "--list", "--json")).json["criteria"]]
    everything = os.environ.get("TEST_ALL_METHODS") is not None
    return [n for n in names if n not in criteria or n == "weight-sum" or everything]


def live(method):
    args = arguments(method)
    ok(run(*args, "--out", f"{method}.onnx"))
    session, out = f"{method}-killed.penjing", f"{method}-killed.onnx"
    process = start(*args, "--out", out)
    wait_for(session, "SELECT 1 FROM job WHERE kind = 'choose'", process)
    status, _, err = stop(process, signal.SIGINT)
    check(status == 130 and "resume" in err, method, status, err)
    process = start("sessions", session, "resume")
    wait_for(session, "SELECT 1 FROM job WHERE kind = 'prune' AND state = 1", process)
    check(stop(process, signal.SIGKILL)[0] == -signal.SIGKILL, method, "it had ended")
    check(not os.path.exists(out), method, "it had finished")
    result = ok(run("sessions", session, "resume", "--json")).json
    check(digest(out) == digest(f"{method}.onnx"), method, "another file after a stop and a kill")
    check(result["method"] == method and result["seed"] == 5, method, result)
    for kind in ("choose", "prune"):
        rows = query(session, f"SELECT seed, device, settings, result, elapsed_ms, state FROM job WHERE kind = '{kind}' ORDER BY id")
        check(len(rows) == 1, method, kind, rows)
        seed, device, settings, text, elapsed, state = rows[0]
        check(seed == 5 and device == "cpu" and elapsed > 0 and state == 2, method, kind, rows)
        check(f"method {method}" in settings and (kind == "prune" or text), method, kind, rows)
    check(query(session, "SELECT count(*) FROM checkpoint") == [(0,)], method, "checkpoints were left")


def all_methods():
    make_model()
    for method in methods():
        live(method)


main([all_methods])
