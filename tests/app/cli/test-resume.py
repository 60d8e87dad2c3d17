# SPDX-License-Identifier: MIT
"""Work that was stopped or killed goes on and ends with the same bits."""
import hashlib
import os
import signal
import subprocess

from harness import CLI, DATA, TIMEOUT, check, main, make_model, ok, query, refused, run, start, stop, wait_for, weights

# Long enough to be stopped in the middle, with a checkpoint at nearly every batch.
TRAIN = ["train", "net.onnx", "--data", DATA, "--epochs", "6", "--batch", "16", "--seed", "3"]


def kill_and_resume_training():
    make_model()
    ok(run(*TRAIN, "--out", "straight.onnx", "--checkpoint", "0.05"))
    process = start(*TRAIN, "--out", "killed.onnx", "--checkpoint", "0.05")
    wait_for("killed.penjing", "SELECT 1 FROM checkpoint WHERE step > 10", process)
    status, _, _ = stop(process, signal.SIGKILL)
    check(status == -signal.SIGKILL, status)
    check(not os.path.exists("killed.onnx"), "it had finished")
    # Killed twice: also a resumed job can be resumed.
    process = start("sessions", "killed.penjing", "resume")
    wait_for("killed.penjing", "SELECT 1 FROM checkpoint WHERE step > 40", process)
    stop(process, signal.SIGKILL)
    result = ok(run("sessions", "killed.penjing", "resume", "--json")).json
    check(result["out"]["path"].endswith("killed.onnx") and os.path.exists("killed.onnx"), result)
    check(weights("killed.onnx") == weights("straight.onnx"), "resumed training gave other weights")
    curves = "SELECT s.name, p.x, p.y FROM point p JOIN series s ON s.id = p.series WHERE s.name = 'loss' ORDER BY p.x, p.id"
    check(query("killed.penjing", curves) == query("straight.penjing", curves) != [], "the loss curves differ")
    check(query("killed.penjing", "SELECT count(*) FROM checkpoint") == [(0,)], "checkpoints were left")


def ctrl_c_and_resume_training():
    process = start(*TRAIN, "--out", "stopped.onnx", "--checkpoint", "60")
    wait_for("stopped.penjing", "SELECT 1 FROM point", process)
    status, out, err = stop(process, signal.SIGINT)
    check(status == 130 and out == "", status, out, err)
    check("sessions" in err and "stopped.penjing" in err and "resume" in err, err)
    listing = ok(run("sessions", "stopped.penjing", "--json")).json
    check(listing["jobs"][-1]["state"] == "cancelled" and listing["jobs"][-1]["resumable"], listing["jobs"])
    ok(run("sessions", "stopped.penjing", "resume"))
    check(weights("stopped.onnx") == weights("straight.onnx"), "resumed training gave other weights")
    refused(run("sessions", "stopped.penjing", "resume"), "no job")


def second_process_is_refused():
    process = start(*TRAIN, "--session", "busy.penjing")
    wait_for("busy.penjing", "SELECT 1 FROM job", process)
    refused(run("train", "busy.penjing", "--data", DATA, "--steps", "1"), "busy.penjing", "another process")
    ok(run("sessions", "busy.penjing"))
    stop(process, signal.SIGKILL)
    ok(run("train", "busy.penjing", "--data", DATA, "--steps", "1", "--batch", "16"))


def resume_comparison():
    args = ["compare", "net.onnx", "--data", DATA, "--criteria", "random,weight-sum,apoz", "--keep", "0.5,0.25", "--samples", "64",
            "--steps", "3", "--batch", "16"]
    straight = ok(run(*args, "--out", "straight.html", "--json")).json
    process = start(*args, "--out", "half.html")
    wait_for("half.penjing", "SELECT 1 FROM comparison_row", process)
    status, _, _ = stop(process, signal.SIGKILL)
    check(status == -signal.SIGKILL, status)
    n_before = len(query("half.penjing", "SELECT 1 FROM comparison_row"))
    first = query("half.penjing", "SELECT * FROM comparison_row WHERE id = 1")
    check(1 <= n_before < 6, n_before)
    result = ok(run("sessions", "half.penjing", "resume", "--json")).json
    check(query("half.penjing", "SELECT * FROM comparison_row WHERE id = 1") == first, "a finished row was measured again")

    def figures(rows):
        return {(r["method"], r["keep"], r["seed"]): (r["macs"], r["cut"], r["recalibrated"], r["tuned"]) for r in rows}
    check(figures(result["rows"]) == figures(straight["rows"]), figures(result["rows"]), figures(straight["rows"]))
    check(os.path.exists("half.html") and os.path.exists("half.csv"), "no report after resuming")


def resume_sensitivity():
    args = ["sensitivity", "net.onnx", "--data", DATA, "--keep", "0.8,0.6,0.4,0.2"]
    straight = ok(run(*args, "--csv", "s-straight.csv", "--json")).json
    process = start(*args, "--csv", "s-half.csv")
    wait_for("s-half.penjing", "SELECT 1 FROM point", process)
    status, _, _ = stop(process, signal.SIGKILL)
    check(status == -signal.SIGKILL and not os.path.exists("s-half.csv"), status)
    first = query("s-half.penjing", "SELECT * FROM point WHERE id <= 10")
    result = ok(run("sessions", "s-half.penjing", "resume", "--json")).json
    check(result["groups"] == straight["groups"] and result["top1"] == straight["top1"], result, straight)
    check(query("s-half.penjing", "SELECT * FROM point WHERE id <= 10") == first != [], "what was stored has changed")
    n = query("s-half.penjing", "SELECT count(*) FROM point")[0][0]
    check(n == 2 + 6 * 4 * 2, "a finished group was measured again:", n)
    check(open("s-half.csv").read() == open("s-straight.csv").read(), "the tables differ")


def resume_score():
    """The divergence of all channels takes minutes: killed in the middle it goes on, and ends with the same numbers."""
    args = ["score", "net.onnx", "--data", DATA, "--criterion", "kl", "--samples", "256"]
    ok(run(*args, "--csv", "k-straight.csv"))
    process = start(*args, "--csv", "k-half.csv")
    wait_for("k-half.penjing", "SELECT 1 FROM job WHERE kind = 'score'", process)
    status, _, err = stop(process, signal.SIGINT)
    check(status == 130 and "resume" in err and not os.path.exists("k-half.csv"), status, err)
    check(query("k-half.penjing", "SELECT count(*) FROM checkpoint") == [(1,)], "nothing was kept")
    process = start("sessions", "k-half.penjing", "resume")
    wait_for("k-half.penjing", "SELECT 1 FROM job WHERE state = 1", process)
    check(stop(process, signal.SIGKILL)[0] == -signal.SIGKILL, "it had ended")
    listing = ok(run("sessions", "k-half.penjing", "--json")).json
    check(listing["jobs"][-1]["kind"] == "score" and listing["jobs"][-1]["resumable"], listing["jobs"])
    result = ok(run("sessions", "k-half.penjing", "resume", "--json")).json
    check(result["criterion"] == "kl" and result["images"] == 256, result)
    check(open("k-half.csv").read() == open("k-straight.csv").read(), "the scores differ")
    check(query("k-half.penjing", "SELECT count(*) FROM checkpoint") == [(0,)], "checkpoints were left")
    refused(run("sessions", "k-half.penjing", "resume"), "no job")


def digest(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest()


# Each is killed in its first stage, in the training behind the cut, and once more whenever a stage ends.
PRUNINGS = {
    "curl": ["--method", "curl", "--macs", "0.5", "--samples", "32", "--finetune-a", "1", "--finetune-b", "1", "--steps", "12"],
    "thinet": ["--method", "thinet", "--keep", "0.5", "--samples", "256", "--between-steps", "2", "--finetune", "1"],
    "autopruner": ["--method", "autopruner", "--keep", "0.5", "--epochs", "1", "--order", "together", "--finetune", "1"],
}


def resume_prune():
    """Killed anywhere, a pruning ends with the same file, also in what comes behind the stopped job."""
    for name, options in PRUNINGS.items():
        args = ["prune", "net.onnx", "--data", DATA, *options, "--test", "60"]
        straight = ok(run(*args, "--out", f"{name}-straight.onnx", "--json")).json
        session, out = f"{name}-killed.penjing", f"{name}-killed.onnx"
        command = [*args, "--out", out]
        n_kills = 0
        for found in ("SELECT 1 FROM job WHERE kind = 'choose'", "SELECT 1 FROM step WHERE kind = 2", "SELECT 1 FROM job WHERE kind = 'fine-tune'"):
            process = start(*command)
            wait_for(session, found, process)
            check(stop(process, signal.SIGKILL)[0] == -signal.SIGKILL, "it had ended")
            check(not os.path.exists(out), "it had finished")
            command = ["sessions", session, "resume"]
            n_kills += 1
        listing = ok(run("sessions", session, "--json")).json
        check(listing["jobs"][0]["kind"] == "prune" and listing["jobs"][0]["resumable"], listing["jobs"][0])
        result = ok(run(*command, "--json")).json
        check(digest(out) == digest(f"{name}-straight.onnx"), name, "another file after", n_kills, "kills")
        check([(s["stage"], s["top1"]) for s in result["stages"]] == [(s["stage"], s["top1"]) for s in straight["stages"]], result, straight)
        check(result["kept"] == straight["kept"] and result["method"] == straight["method"], result, straight)
        check(query(session, "SELECT count(*) FROM checkpoint") == [(0,)], "checkpoints were left")
        refused(run("sessions", session, "resume"), "no job")


def hangup_of_the_reader():
    """A closed pipe at stdout is a failure, not a success without a result."""
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen([CLI, "devices", "--json"], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    process.communicate(timeout=TIMEOUT)
    check(process.returncode != 0, "status 0 although nothing could be written")


main([kill_and_resume_training, ctrl_c_and_resume_training, second_process_is_refused, resume_comparison, resume_sensitivity, resume_score,
      resume_prune, hangup_of_the_reader])
