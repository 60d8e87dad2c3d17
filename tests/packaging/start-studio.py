#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: headless.sh start-studio.py PENJING: the installed studio opens the sample session, in Chinese."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "ui"))
from studio import Studio, wait_for  # noqa: E402

with Studio(sys.argv[1], "--sample") as studio:
    studio.await_enabled("fine-tune", 60)
    wait_for("a Chinese window", lambda: next(studio.nodes("image", contains="网络结构图"), None))
    studio.key("ctrl+q")
    wait_for("the end", lambda: studio.process.poll() is not None)
    assert studio.process.returncode == 0, studio.process.returncode
