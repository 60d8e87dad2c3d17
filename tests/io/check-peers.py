#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: check-peers.py EXPORT-PEERS RUN-ONNXRUNTIME.js

Exports models with EXPORT-PEERS and holds every file against three others: onnx.checker accepts it,
PyTorch computes the same numbers from it, and so does onnxruntime, each within 1e-5 of the largest.
Speaks TAP.  A peer that is not installed is skipped.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy

TOLERANCE = 1e-5


def load_torch():
    try:
        import torch
        return torch
    except ImportError:
        return None


class TorchRun:
    """Runs an ONNX file node by node with PyTorch's functions."""

    def __init__(self, torch, model):
        from onnx import helper, numpy_helper
        self.torch, self.f, self.model = torch, torch.nn.functional, model
        self.attributes = lambda node: {a.name: helper.get_attribute_value(a) for a in node.attribute}
        self.values = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in model.graph.initializer}
        self.to_array = numpy_helper.to_array

    def padded(self, x, pads, value):
        top, left, bottom, right = pads
        return self.f.pad(x, (left, right, top, bottom), value=value)

    def conv(self, a, x, w, b=None):
        x = self.padded(x, a.get("pads", [0] * 4), 0.0)
        return self.f.conv2d(x, w, b, a.get("strides", 1), 0, a.get("dilations", 1), a.get("group", 1))

    def norm(self, a, x, gamma, beta, mean, var):
        return self.f.batch_norm(x, mean, var, gamma, beta, False, 0, a.get("epsilon", 1e-5))

    def max_pool(self, a, x):
        top, left, bottom, right = a.get("pads", [0] * 4)
        kernel, strides = a["kernel_shape"], a.get("strides", [1, 1])
        x = self.padded(x, (top, left, bottom, right), float("-inf"))
        return self.f.max_pool2d(x, kernel, strides, ceil_mode=bool(a.get("ceil_mode", 0)))

    def average_pool(self, a, x):
        pads, kernel, strides = a.get("pads", [0] * 4), a["kernel_shape"], a.get("strides", [1, 1])
        ones = self.torch.ones_like(x)
        ones = self.padded(ones, pads, 1.0 if a.get("count_include_pad", 0) else 0.0)
        total = self.f.avg_pool2d(self.padded(x, pads, 0.0), kernel, strides)
        return total / self.f.avg_pool2d(ones, kernel, strides)

    def transposed_conv(self, a, x, w, b=None):
        pads = a.get("pads", [0, 0, 0, 0])
        assert pads[:2] == pads[2:]
        return self.f.conv_transpose2d(x, w, b, a["strides"], pads[:2], a.get("output_padding", 0), a.get("group", 1), a["dilations"])

    def gemm(self, a, x, w, b=None):
        x = x.t() if a.get("transA", 0) else x
        w = w.t() if a.get("transB", 0) else w
        y = a.get("alpha", 1.0) * x @ w
        return y if b is None else y + a.get("beta", 1.0) * b

    def pad(self, a, x, pads=None, value=None):
        pads = a["pads"] if pads is None else pads.tolist()
        value = a.get("value", 0.0) if value is None else float(value)
        flat = [p for i in reversed(range(x.dim())) for p in (pads[i], pads[i + x.dim()])]
        return self.f.pad(x, flat, value=value)

    def reshape(self, a, x, shape):
        return x.reshape([x.shape[i] if d == 0 else int(d) for i, d in enumerate(shape.tolist())])

    def node(self, node):
        x = [self.values[name] if name else None for name in node.input]
        a = self.attributes(node)
        table = {
            "Conv": lambda: self.conv(a, *x), "BatchNormalization": lambda: self.norm(a, *x),
            "Relu": lambda: x[0].relu(), "Add": lambda: x[0] + x[1], "MatMul": lambda: x[0] @ x[1],
            "MaxPool": lambda: self.max_pool(a, x[0]), "AveragePool": lambda: self.average_pool(a, x[0]),
            "GlobalAveragePool": lambda: x[0].mean((2, 3), keepdim=True),
            "Flatten": lambda: x[0].flatten(a.get("axis", 1)), "Gemm": lambda: self.gemm(a, *x),
            "Pad": lambda: self.pad(a, *x), "Reshape": lambda: self.reshape(a, *x), "Softmax": lambda: x[0].softmax(a.get("axis", -1)),
            "Sub": lambda: x[0] - x[1], "Mul": lambda: x[0] * x[1], "Div": lambda: x[0] / x[1], "Sqrt": lambda: x[0].sqrt(),
            "Erf": lambda: x[0].erf(), "Sigmoid": lambda: x[0].sigmoid(), "Tanh": lambda: x[0].tanh(), "Pow": lambda: x[0] ** x[1],
            "Clip": lambda: x[0].clamp(*(x[1:] or (a["min"], a["max"]))), "LogSoftmax": lambda: x[0].log_softmax(a.get("axis", -1)),
            "Transpose": lambda: x[0].permute(a["perm"]), "ReduceMean": lambda: x[0].mean(a["axes"], keepdim=bool(a["keepdims"])),
            "InstanceNormalization": lambda: self.f.instance_norm(x[0], weight=x[1], bias=x[2], eps=a["epsilon"]),
            "ConvTranspose": lambda: self.transposed_conv(a, *x),
            "Identity": lambda: x[0], "Constant": lambda: self.torch.from_numpy(self.to_array(a["value"]).copy()),
        }
        return table[node.op_type]()

    def __call__(self, x):
        self.values[self.model.graph.input[0].name] = self.torch.from_numpy(x)
        for node in self.model.graph.node:
            self.values[node.output[0]] = self.node(node)
        return self.values[self.model.graph.output[0].name].numpy()


def worst(y, expected):
    return float(numpy.abs(y.reshape(-1) - expected).max() / numpy.abs(expected).max())


class Tap:
    def __init__(self):
        self.n, self.failed = 0, 0

    def say(self, ok, name, note=""):
        self.n += 1
        self.failed += not ok
        print(f"{'ok' if ok else 'not ok'} {self.n} {name}{note}", flush=True)


def read(path, suffix):
    return numpy.fromfile(path.with_suffix(suffix), dtype="<f4")


def check_torch(tap, files):
    import onnx
    torch = load_torch()
    for path in files:
        model = onnx.load(str(path))
        try:
            onnx.checker.check_model(model, full_check=True)
            tap.say(True, f"checker {path.stem}")
        except onnx.checker.ValidationError as reason:
            tap.say(False, f"checker {path.stem}")
            print("#", str(reason).replace("\n", "\n# "))
        if torch is None:
            tap.say(True, f"pytorch {path.stem}", " # SKIP PyTorch is not installed")
            continue
        dims = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
        with torch.no_grad():
            y = TorchRun(torch, model)(read(path, ".in.f32").reshape([-1] + dims[1:]))
        error = worst(y, read(path, ".out.f32"))
        tap.say(error <= TOLERANCE, f"pytorch {path.stem}")
        print(f"# largest difference {error:.2e}")


def check_onnxruntime(tap, files, script):
    modules, node = os.environ.get("PENJING_ORT_MODULES"), shutil.which("node")
    if not modules or not node:
        for path in files:
            tap.say(True, f"onnxruntime {path.stem}", " # SKIP onnxruntime-node is not installed")
        return
    out = subprocess.run([node, script, *map(str, files)], env={**os.environ, "NODE_PATH": modules},
                         capture_output=True, text=True)
    if out.returncode != 0:
        print("#", out.stderr.replace("\n", "\n# "))
    for path in files:
        produced = path.with_suffix(".ort.f32")
        error = worst(read(path, ".ort.f32"), read(path, ".out.f32")) if produced.exists() else float("inf")
        tap.say(error <= TOLERANCE, f"onnxruntime {path.stem}")
        print(f"# largest difference {error:.2e}")


def main():
    program, script = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="penjing-peers-") as folder:
        subprocess.run([program, folder], check=True, stdout=subprocess.DEVNULL)
        files = sorted(pathlib.Path(folder).glob("*.onnx"))
        print(f"1..{3 * len(files)}")
        tap = Tap()
        check_torch(tap, files)
        check_onnxruntime(tap, files, script)
    return 1 if tap.failed or not files else 0


sys.exit(main())
