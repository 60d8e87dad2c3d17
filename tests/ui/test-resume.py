#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: headless.sh test-resume.py PROGRAM PICTURES

The program is killed in the middle of a fine-tuning, started again, offers to go on, and goes on to the end.
Speaks TAP.
"""
import os
import pathlib
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from studio import GLib, Studio, wait_for, walk  # noqa: E402

PROGRAM, PICTURES = sys.argv[1:3]


def job_texts(studio, title):
    jobs = studio.find("list", "Jobs")
    row = next((n for n in jobs if n and n.name == title), None) if jobs else None
    return [n.name for n in walk(row) if n.getRoleName() == "label"] if row else []


def main():
    print("1..3")
    title = "Fine-tune, 40 epochs"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PENJING_STATE_DIR"] = folder
        with Studio(PROGRAM, "--sample", pictures=PICTURES) as studio:
            studio.await_enabled("fine-tune", 120)
            studio.action("fine-tune", GLib.Variant("(ud)", (40, 0.01)))
            studio.page("jobs")
            # A checkpoint is written every five seconds of work.
            wait_for("some work", lambda: any("epoch" in t and "epoch 1 " not in t for t in job_texts(studio, title)), 300)
            wait_for("a checkpoint", lambda: any(t.split(" s")[0].isdigit() and int(t.split(" s")[0]) > 6
                                                 or " min" in t for t in job_texts(studio, title)), 300)
            studio.process.send_signal(signal.SIGKILL)
            studio.process.wait(30)
        print("ok 1 /ui/resume/killed-in-the-middle", flush=True)
        with Studio(PROGRAM, "--sample", pictures=PICTURES) as studio:
            wait_for("the offer", lambda: next(studio.nodes(contains="was interrupted and can go on"), None), 120)
            studio.picture("interrupted")
            assert any(t.startswith("Interrupted") for t in job_texts(studio, title)) or studio.page("jobs") or \
                wait_for("the interrupted job", lambda: any(t.startswith("Interrupted") for t in job_texts(studio, title)))
            print("ok 2 /ui/resume/offered", flush=True)
            studio.action("resume")
            first = wait_for("it goes on", lambda: next((t for t in job_texts(studio, title) if "epoch" in t), None), 300)
            assert not first.startswith("epoch 1 of"), f"it began again: {first}"
            wait_for("no offer any more", lambda: studio.find("push button", "Pause"), 60)
            studio.picture("resumed")
            print("ok 3 /ui/resume/goes-on-from-the-checkpoint", flush=True)


main()
