#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: make-corpus.py [DIR]

Makes the seeds of the fuzzer: one small network per operator or form that the importer knows.  Needs
python3-onnx.
"""
import pathlib
import sys

import numpy
from onnx import TensorProto, helper, numpy_helper

here = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "corpus")
rng = numpy.random.default_rng(1)


def floats(*shape):
    return rng.standard_normal(shape).astype(numpy.float32)


def ints(*values):
    return numpy.array(values, numpy.int64)


def net(name, nodes, tensors=(), shape=("N", 4, 6, 6), opset=13, output="y"):
    """Nodes are (type, inputs, outputs[, attributes]); numpy inputs become tensors."""
    made, stored = [], []
    for i, (kind, inputs, outputs, *attributes) in enumerate(nodes):
        names = []
        for k, value in enumerate(inputs):
            if isinstance(value, str):
                names.append(value)
                continue
            stored.append(numpy_helper.from_array(value, f"t{i}{k}"))
            names.append(f"t{i}{k}")
        made.append(helper.make_node(kind, names, outputs, name=f"n{i}", **(attributes[0] if attributes else {})))
    graph = helper.make_graph(made, name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="seed")
    (here / f"{name}.onnx").write_bytes(model.SerializeToString())


def one(name, kind, *inputs, opset=13, shape=("N", 4, 6, 6), **attributes):
    net(name, [(kind, ["x", *inputs], ["y"], attributes)], shape=shape, opset=opset)


here.mkdir(exist_ok=True)
one("conv", "Conv", floats(3, 4, 3, 3), floats(3), pads=[1, 1, 1, 1], strides=[2, 2])
one("conv-groups", "Conv", floats(4, 2, 3, 3), group=2, dilations=[2, 2], auto_pad="SAME_UPPER")
one("conv-depthwise", "Conv", floats(8, 1, 3, 3), group=4)
one("conv-row", "Conv", floats(3, 4, 3), floats(3), shape=("N", 4, 9), pads=[1, 2], strides=[2])
one("conv-transpose", "ConvTranspose", floats(4, 2, 3, 3), floats(2), strides=[2, 2], output_padding=[1, 0])
one("gemm", "Gemm", floats(4, 3), floats(3), shape=("N", 4), alpha=0.5, beta=2.0)
net("matmul-bias", [("MatMul", ["x", floats(4, 3)], ["m"]), ("Add", [floats(3), "m"], ["y"])], shape=("N", 4))
net("matmul-last", [("Transpose", ["x"], ["t"], {"perm": [0, 2, 3, 1]}), ("MatMul", ["t", floats(4, 3)], ["m"]),
                    ("Add", ["m", floats(3)], ["a"]), ("Relu", ["a"], ["r"]), ("Transpose", ["r"], ["y"], {"perm": [0, 3, 1, 2]})])
one("batch-norm", "BatchNormalization", floats(4), floats(4), floats(4), abs(floats(4)))
one("instance-norm", "InstanceNormalization", floats(4), floats(4))
one("group-norm", "GroupNormalization", floats(2), floats(2), num_groups=2, opset=18)
one("layer-norm", "LayerNormalization", floats(6), floats(6), axis=-1, opset=17)
net("layer-norm-parts", [
    ("ReduceMean", ["x"], ["m"], {"axes": [-1]}), ("Sub", ["x", "m"], ["d"]), ("Pow", ["d", numpy.float32(2)], ["p"]),
    ("ReduceMean", ["p"], ["v"], {"axes": [-1]}), ("Add", ["v", numpy.float32(1e-5)], ["e"]), ("Sqrt", ["e"], ["s"]),
    ("Div", ["d", "s"], ["q"]), ("Mul", ["q", floats(6)], ["g"]), ("Add", ["g", floats(6)], ["y"])])
net("gelu-parts", [("Div", ["x", numpy.float32(2 ** 0.5)], ["a"]), ("Erf", ["a"], ["b"]), ("Add", ["b", numpy.float32(1)], ["c"]),
                   ("Mul", ["x", "c"], ["d"]), ("Mul", ["d", numpy.float32(0.5)], ["y"])])
one("gelu-tanh", "Gelu", approximate="tanh", opset=20)
one("lrn", "LRN", size=3)
one("prelu", "PRelu", floats(4, 1, 1))
one("clip", "Clip", numpy.float32(0), numpy.float32(6))
net("swish", [("Sigmoid", ["x"], ["s"]), ("Mul", ["x", "s"], ["y"])])
one("max-pool", "MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
one("average-pool", "AveragePool", kernel_shape=[2, 2], pads=[1, 0, 0, 1], count_include_pad=1)
one("max-pool-row", "MaxPool", kernel_shape=[3], strides=[2], shape=("N", 4, 9))
net("arithmetic", [("Sub", [numpy.float32(1), "x"], ["a"]), ("Div", [floats(4, 1, 1), "a"], ["b"]), ("Neg", ["b"], ["c"]),
                   ("Mul", [floats(1, 4, 1, 1), "c"], ["d"]), ("Sum", ["d", "a", "x"], ["y"])])
net("residual", [("Conv", ["x", floats(4, 4, 1, 1)], ["a"]), ("Relu", ["a"], ["b"]), ("Add", ["b", "x"], ["c"]),
                 ("GlobalAveragePool", ["c"], ["p"]), ("Flatten", ["p"], ["f"]), ("Gemm", ["f", floats(3, 4)], ["g"], {"transB": 1}),
                 ("Softmax", ["g"], ["y"])])
net("shuffle", [("Reshape", ["x", ints(0, 2, 2, 6, 6)], ["a"]), ("Transpose", ["a"], ["b"], {"perm": [0, 2, 1, 3, 4]}),
                ("Reshape", ["b", ints(0, 4, 6, 6)], ["y"])])
net("shape-arithmetic", [("Shape", ["x"], ["s"]), ("Gather", ["s", ints(0)], ["g"], {"axis": 0}),
                         ("Concat", ["g", ints(-1)], ["c"], {"axis": 0}), ("Reshape", ["x", "c"], ["y"])])
net("split-concat", [("Split", ["x", ints(1, 3)], ["a", "b"], {"axis": 1}), ("Concat", ["b", "a"], ["y"], {"axis": 1})])
one("slice", "Slice", ints(1), ints(3), ints(1), ints(1))
one("gather", "Gather", ints(2, 0, 1), axis=1)
one("pad", "Pad", ints(0, 1, 0, 1, 0, 0, 2, 0))
one("squeeze", "Squeeze", ints(2), shape=("N", 4, 1, 6))
one("depth-to-space", "DepthToSpace", blocksize=2)
one("resize", "Resize", numpy.zeros(0, numpy.float32), numpy.array([1, 1, 2, 2], numpy.float32), mode="nearest")
one("softmax-maps", "Softmax", axis=1)
one("log-softmax-old", "LogSoftmax", axis=3, opset=11)
one("reduce-mean", "ReduceMean", axes=[2, 3], keepdims=0)
one("unknown", "FancyNewThing", floats(2), opset=21)
net("unknown-two", [("FancySplit", ["x"], ["a", "b"]), ("Conv", ["a", floats(2, 4, 1, 1)], ["c"]), ("Add", ["c", "b"], ["y"])])
net("constants", [("Constant", [], ["c"], {"value": numpy_helper.from_array(floats(4, 1, 1))}),
                  ("ConstantOfShape", [ints(4, 1, 1)], ["o"]), ("Add", ["c", "o"], ["s"]), ("Mul", ["x", "s"], ["y"])])
