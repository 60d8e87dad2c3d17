# SPDX-License-Identifier: MIT
"""bench --peers next to a PyTorch that goes wrong: what was measured is printed all the same."""
import os
import signal
import subprocess
import time

from harness import CLI, check, environment, main, refused, run

# Answers whatever it is asked in 2 ms a step, until a network comes that it was told to fail on.
PEER = """
import json, os, sys
print(json.dumps({"name": "Peer 1.0"}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    open(os.environ["PEER_LOG"], "a").write(line)
    if os.environ["PEER_FAILS_ON"] in line:
        if os.environ["PEER_HOW"] == "dies":
            os._exit(3)
        if os.environ["PEER_HOW"] == "leaves":
            os.close(0)
            print(json.dumps({"ms": 2.0, "net": 0}), flush=True)
            os._exit(0)
        print(json.dumps({"error": "out of patience"}), flush=True)
    else:
        print(json.dumps({"ms": 2.0, "net": 0, "ok": True}), flush=True)
"""


def with_peer(how, fails_on):
    os.makedirs("peers", exist_ok=True)
    with open("peers/peer-torch.py", "w") as file:
        file.write(PEER)
    return environment(PENJING_PEERS=os.path.abspath("peers"), PEER_LOG=os.path.abspath("asked"), PEER_HOW=how, PEER_FAILS_ON=fails_on)


def goes_on(how, reason):
    """One figure breaks at its second network; its first and the other figures are in the table."""
    env = with_peer(how, "resnet20")
    args = ["bench", "--peers", "--quick", "--only", "train,preview"]
    result = run(*args, "--json", env=env)
    check(result.status == 1, result)
    check("penjing-cli: 1 of 2 figures could not be measured" in result.err, result.err)
    rows = result.json["figures"]
    check([row["figure"] for row in rows] == ["train", "train", "preview"], rows)
    check(rows[0]["ours"] > 0 and rows[0]["peer"] == "Peer 1.0" and "failed" not in rows[0], rows[0])
    check("resnet20" in rows[1]["case"] and reason in rows[1]["failed"] and "ours" not in rows[1], rows[1])
    check(rows[2]["ours"] > 0 and "reached" in rows[2], rows[2])
    text = run(*args, env=env)
    check(text.status == 1 and f"failed train, {rows[1]['case']}: " in text.out and reason in text.out, text)
    check("Peer 1.0" in text.out and "preview" in text.out, text)


def a_dead_peer_is_one_row():
    goes_on("dies", "Peer 1.0 ended early")


def nobody_listens():
    goes_on("leaves", "does not listen any more")


def an_error_is_one_row():
    goes_on("says so", "out of patience")


def a_new_peer_for_the_next_figure():
    """The peer that broke is not asked again: the next figure has one of its own."""
    result = run("bench", "--peers", "--quick", "--only", "train,open", "--json", env=with_peer("dies", "resnet20"))
    rows = result.json["figures"]
    check(result.status == 1 and [row["figure"] for row in rows][:2] == ["train", "train"], rows)
    check(all("ended early" not in row.get("skipped", "") for row in rows), rows)
    check("densenet201" in open("asked").read(), "it was not asked")


def all_well_is_status_0():
    result = run("bench", "--peers", "--quick", "--only", "preview", "--json", env=with_peer("dies", "resnet20"))
    check(result.status == 0 and len(result.json["figures"]) == 1, result)


def stopped_shows_the_rest():
    process = subprocess.Popen([CLI, "bench", "--peers", "--quick", "--only", "train,preview", "--json"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=with_peer("says so", "mobilenet"))
    open("asked", "w").close()
    for _ in range(600):
        if "resnet20" in open("asked").read():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=200)
    check(process.returncode == 130 and b"vgg-mini" in out and b"preview" not in out, process.returncode, out, err)


def names_are_checked():
    refused(run("bench", "--peers", "--only", "train,trian"), "trian", "preview", status=2)
    refused(run("bench", "--peers", "--only", ""), status=2)


main([a_dead_peer_is_one_row, nobody_listens, an_error_is_one_row, a_new_peer_for_the_next_figure, all_well_is_status_0, stopped_shows_the_rest,
      names_are_checked])
