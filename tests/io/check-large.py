#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: check-large.py PENJING-CLI

Makes a file as large as VGG-16's (528 MiB) and opens it: the memory that this takes must stay below 1.3 times the
file.  Not part of ./test: it takes half a minute and two gigabytes.  Needs python3-onnx.
"""
import pathlib
import resource
import subprocess
import sys
import tempfile

import numpy
from onnx import TensorProto, helper, numpy_helper

LIMIT = 1.3
WIDTHS = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]


def write(path):
    nodes, tensors, channels, x = [], [], 3, "x"

    def param(name, *shape):
        data = numpy.resize(numpy.linspace(-0.02, 0.02, 9973, dtype=numpy.float32), shape)
        tensors.append(numpy_helper.from_array(data, name))
        return name

    for i, width in enumerate(WIDTHS):
        if width == 0:
            nodes.append(helper.make_node("MaxPool", [x], [f"p{i}"], kernel_shape=[2, 2], strides=[2, 2]))
            x = f"p{i}"
            continue
        nodes.append(helper.make_node("Conv", [x, param(f"w{i}", width, channels, 3, 3), param(f"b{i}", width)], [f"c{i}"], pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        x, channels = f"r{i}", width
    nodes.append(helper.make_node("Flatten", [x], ["f"]))
    x, channels = "f", 512 * 7 * 7
    for i, width in enumerate((4096, 4096, 1000)):
        nodes.append(helper.make_node("Gemm", [x, param(f"fw{i}", width, channels), param(f"fb{i}", width)], [f"f{i}"], transB=1))
        x, channels = f"f{i}", width
    graph = helper.make_graph(nodes, "vgg16", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 224, 224])],
                              [helper.make_tensor_value_info(x, TensorProto.FLOAT, ["N", 1000])], tensors)
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]).SerializeToString())


def main(cli):
    with tempfile.TemporaryDirectory(prefix="penjing-large-") as folder:
        path = pathlib.Path(folder) / "vgg16.onnx"
        # In a process of its own: what Python took must not count.
        subprocess.run([sys.executable, __file__, "--write", path], check=True)
        size = path.stat().st_size
        watcher = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); " \
                  "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        out = subprocess.run([sys.executable, "-c", watcher, cli, "info", path, "--quiet"], capture_output=True, text=True, check=True)
        peak = int(out.stdout) * 1024
        print(f"file {size / 2**20:.0f} MiB, peak {peak / 2**20:.0f} MiB, {peak / size:.2f} times")
        return peak > LIMIT * size


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--write":
        write(pathlib.Path(sys.argv[2]))
    else:
        sys.exit(main(sys.argv[1]))
