#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: check.py HALVE EXPORT.py RUN-ONNXRUNTIME.js [MODEL...]

Takes torchvision's classification networks through Penjing: imports what PyTorch exports, runs it, keeps half of
every group that can be cut, and exports the result.  For each network

  import   the output equals PyTorch's to 1e-4 of the largest
  cut      the cut network computes what the masked one does, to 1e-4; permuting groups changes nothing
  train    a training step with the cut network gives finite losses
  export   onnxruntime computes the same from the exported file, to 1e-4 (skipped where it is not installed)

Speaks TAP, and writes a Markdown table to the file named by PENJING_SWEEP_TABLE.
"""
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy

TOLERANCE = 1e-4
MODELS = """alexnet vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn resnet18 resnet34 resnet50 resnet101
resnet152 resnext50_32x4d wide_resnet50_2 squeezenet1_0 squeezenet1_1 densenet121 googlenet inception_v3 mobilenet_v2
mobilenet_v3_small mobilenet_v3_large shufflenet_v2_x0_5 shufflenet_v2_x1_0 mnasnet0_5 efficientnet_b0 efficientnet_v2_s
regnet_x_400mf regnet_y_400mf convnext_tiny""".split()


class Sweep:
    def __init__(self, halve, export, ort_script):
        self.halve, self.export, self.ort_script = halve, export, ort_script
        self.modules = os.environ.get("PENJING_ORT_MODULES")
        self.n = self.n_failed = 0
        self.rows = []

    def report(self, model, what, problem=None, skip=None):
        self.n += 1
        self.n_failed += problem is not None
        print(f"{'not ok' if problem else 'ok'} {self.n} - /torchvision/{model}/{what}"
              + (f" # SKIP {skip}" if skip else ""), flush=True)
        if problem:
            print("# " + str(problem).strip().replace("\n", "\n# ")[-2000:], flush=True)

    def compare(self, model, what, a, b, note=None):
        a, b = (numpy.fromfile(path, numpy.float32) for path in (a, b))
        if len(a) != len(b) or not numpy.isfinite(a).all():
            self.report(model, what, f"{len(a)} outputs against {len(b)}, or not finite")
            return
        error = float(abs(a - b).max() / abs(b).max())
        print(f"# {model} {what}: {error:.1e} of the largest output", flush=True)
        problem = None if error <= TOLERANCE else f"differs by {error:.1e} of the largest output"
        self.report(model, what, problem or note)

    def model(self, model, folder):
        base = folder / model
        made = subprocess.run([sys.executable, self.export, model, str(folder)], capture_output=True, text=True)
        if made.returncode:
            self.report(model, "import", "PyTorch does not export it: " + made.stderr)
            return
        ran = subprocess.run([self.halve, str(base)], capture_output=True, text=True)
        if ran.returncode:
            reason = ran.stderr.strip() or f"ended with {ran.returncode}"
            self.report(model, "import", reason)
            short_reason = re.sub(r"^.* cannot be opened: (node “[^”]*” )?(\([^)]*\): )?", "", reason)
            self.rows.append(f"| {model} | – | – | not imported: {short_reason} | – | – |")
            return
        facts = json.loads(ran.stdout)
        self.compare(model, "import", f"{base}.whole.f32", f"{base}.torch.f32")
        note = None
        if facts["permuted"] > TOLERANCE:
            note = f"permuting a group changes the output by {facts['permuted']:.1e}"
        elif facts["cut"] == 0:
            note = "no group was cut"
        self.compare(model, "cut", f"{base}.cut.f32", f"{base}.masked.f32", note)
        losses = [facts.get("loss_before", math.nan), facts.get("loss_after", math.nan)]
        self.report(model, "train", None if all(map(math.isfinite, losses)) else facts.get("train", f"losses {losses}"))
        self.check_export(model, base)
        self.rows.append(row(model, facts))

    def check_export(self, model, base):
        if not self.modules:
            self.report(model, "export", skip="onnxruntime is not installed")
            return
        ran = subprocess.run(["node", self.ort_script, f"{base}-cut.onnx"], capture_output=True, text=True,
                             env={**os.environ, "NODE_PATH": self.modules})
        if ran.returncode:
            self.report(model, "export", ran.stderr)
            return
        self.compare(model, "export", f"{base}-cut.ort.f32", f"{base}.cut.f32")


def short(n):
    return f"{n / 1e9:.2f} G" if n >= 1e9 else f"{n / 1e6:.2f} M"


def reasons(locked):
    """Locks by reason; the class scores, which no network can lose, are not worth a word."""
    counts = {}
    for lock in locked:
        if "output: one channel per class" in lock["reason"]:
            continue
        text = re.sub(r" \(node “[^”]*”\)$", "", lock["reason"])
        text = re.sub(r"^“[^”]*” ", "", text)
        counts[text] = counts.get(text, 0) + 1
    return "; ".join(f"{n} × {text}" if n > 1 else text for text, n in sorted(counts.items())) or "scores only"


def row(model, facts):
    change = [f"{short(facts[a + '_before'])} → {short(facts[a + '_after'])}" for a in ("params", "macs")]
    return (f"| {model} | {facts['groups']} | {facts['cut']} | {reasons(facts['locked'])} | "
            f"{change[0]} | {change[1]} |")


TABLE = """| network | groups | cut | locked | parameters | multiply-adds |
|---|---:|---:|---|---:|---:|
"""


def main(halve, export, ort_script, *models):
    sweep = Sweep(halve, export, ort_script)
    models = models or MODELS
    for model in models:
        with tempfile.TemporaryDirectory(prefix="penjing-sweep-") as folder:
            sweep.model(model, pathlib.Path(folder))
    print(f"1..{sweep.n}")
    table = os.environ.get("PENJING_SWEEP_TABLE")
    if table:
        pathlib.Path(table).write_text(TABLE + "".join(line + "\n" for line in sweep.rows), encoding="utf-8")
    return sweep.n_failed > 0


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
