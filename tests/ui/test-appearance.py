#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: headless.sh test-appearance.py PENJING PICTURES

The studio follows what the desktop says of light, dark and contrast, at its start and while it runs.  TAP.
"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from studio import Studio, wait_for  # noqa: E402
from portal import Portal  # noqa: E402

PROGRAM, PICTURES = sys.argv[1:]


def lightness(studio, name):
    """Mean of the window and its spread, 0 … 1."""
    path = studio.picture(name)
    out = subprocess.run(["convert", path, "-colorspace", "Gray", "-format", "%[fx:mean] %[fx:standard_deviation]", "info:"],
                         capture_output=True, text=True, check=True).stdout
    return [float(x) for x in out.split()]


print("1..3")
portal = Portal(scheme=1, contrast=0)
with Studio(PROGRAM, "--sample", pictures=PICTURES) as studio:
    studio.await_enabled("fine-tune", 60)
    studio.page("layers")
    wait_for("a dark window", lambda: lightness(studio, "appearance-dark")[0] < 0.35)
    dark = lightness(studio, "appearance-dark")
    print("ok 1 /ui/appearance/dark", flush=True)
    portal.change("contrast", 1)
    wait_for("more contrast", lambda: lightness(studio, "contrast-dark")[1] > dark[1] * 1.03)
    print("ok 2 /ui/appearance/high-contrast", flush=True)
    portal.change("color-scheme", 2)
    wait_for("a light window", lambda: lightness(studio, "contrast-light")[0] > 0.7)
    print("ok 3 /ui/appearance/light", flush=True)
