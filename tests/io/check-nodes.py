#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: check-nodes.py PENJING-CLI

Runs the node tests that come with the ONNX format (Debian package libonnx-testdata) for the operators that
Penjing knows, through penjing-cli, and compares the outputs within 1e-4 of the largest.  All inputs but the
first become stored tensors, as they are in real networks.  Speaks TAP; what is skipped says why.
"""
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

DATA = pathlib.Path("/usr/share/libonnx-testdata/data/node")
TOLERANCE = 1e-4
OPERATORS = """Conv ConvTranspose Gemm MatMul BatchNormalization InstanceNormalization LRN Relu LeakyRelu PRelu Elu
Sigmoid HardSigmoid HardSwish Tanh Softplus Clip Erf Exp Log Sqrt Abs Pow Reciprocal Neg Add Sub Mul Div Sum MaxPool
AveragePool GlobalAveragePool GlobalMaxPool ReduceMean Concat Split Slice Gather Reshape Flatten Transpose Squeeze Unsqueeze Pad
DepthToSpace Resize Upsample Softmax LogSoftmax Dropout Identity Gelu LayerNormalization""".split()

# What a classification network over pictures does not need, by what the refusal says.
REASONS = [
    (r"dimensions, expected 2 to 4", "not a batch of pictures, vectors or sequences"),
    (r"not made of floating-point numbers", "integers"),
    (r"only two-dimensional|only one- and two-dimensional", "three-dimensional windows"),
    (r"input has rank \d, expected 4", "three-dimensional windows"),
    (r"second output .* is used|outputs; only networks with one", "more than one output"),
    (r"over the pictures|mixes the pictures|moves the batch|pictures of a batch|moves elements between pictures"
     r"|some pictures of a batch|only flattening from axis 1|rank 0|one number per picture", "mixes the pictures of a batch"),
    (r"not computed from the picture", "a result that does not depend on the picture"),
    (r"dilated pooling|storage_order", "dilated pooling"),
    (r"compare the pictures|several dimensions at once", "a softmax over pictures or over several dimensions"),
    (r"only padding with a constant", "padding by reflection or repetition"),
    (r"mode “cubic”|the grid “|nearest mode “|only height and width|stored scales or sizes", "a rare way of resizing"),
    (r"stored bounds|in steps of -|takes nothing", "slices backwards or of nothing"),
    (r"no known shape|has no input", "no input"),
    (r"computed at run time|must be stored|must be a constant|stored exponent|stored slope|stored list|stored pads"
     r"|mean over stored axes|stored matrix", "a parameter computed at run time"),
    (r"per pixel \(spatial", "statistics per pixel"),
    (r"leaves out 0", "a clip range without 0"),
    (r"differs from picture to picture|has rank \d and its map \d", "a constant per picture"),
    (r"do not fit together|only tensors of one shape", "broadcasting to a higher rank"),
    (r"expected one computed from the picture", "a stored map joined to another"),
    (r"bias has \d+ values", "a bias per picture"),
    (r"slope, or one per channel", "a slope per pixel"),
    (r"onto one pixel", "a rare way of resizing"),
    (r"axis is \d.*only channels", "gathering along another axis than the channels"),
    (r"transA", "a transposed input"),
    (r"dimension \d of its shape is not possible|be reshaped as asked", "a reshape that moves the batch"),
    (r"axis \d is not possible|axis -?\d+ is not possible", "an axis that is the batch"),
]


# Expectations that the format has withdrawn since.
WITHDRAWN = {"test_resize_downsample_scales_linear_align_corners": "sizes taken before they are rounded"}


def prepare(folder, target):
    """Writes model.onnx, x.npy and y.npy for one test; a text that says why not."""
    import numpy
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(folder / "model.onnx"))
    nodes = model.graph.node
    if len(nodes) != 1 or nodes[0].op_type not in OPERATORS:
        return "another operator"
    sets = folder / "test_data_set_0"
    arrays = []
    for i in range(len(model.graph.input)):
        try:
            arrays.append(numpy_helper.to_array(onnx.load_tensor(str(sets / f"input_{i}.pb"))))
        except Exception:
            return "inputs that are not tensors"
    y = numpy_helper.to_array(onnx.load_tensor(str(sets / "output_0.pb")))
    if not arrays or arrays[0].dtype != numpy.float32 or y.dtype != numpy.float32:
        return "integers, half or double precision"
    if arrays[0].size == 0:
        return "no numbers at all"
    if arrays[0].ndim < 2 or y.ndim < 2:
        return "not a batch of pictures, vectors or sequences"
    if len(nodes[0].output) > 1 and nodes[0].op_type not in ("Dropout", "MaxPool", "LayerNormalization"):
        return "more than one output"
    for value, array in list(zip(model.graph.input, arrays))[1:]:
        model.graph.initializer.append(numpy_helper.from_array(array, value.name))
        model.graph.input.remove(value)
    del model.graph.output[1:]
    # The batch of a test is its first dimension.
    onnx.save(model, str(target / "model.onnx"))
    numpy.save(target / "x.npy", numpy.ascontiguousarray(arrays[0]))
    numpy.save(target / "y.npy", y)
    return None


def check(cli, folder):
    """("ok" | "skip" | "fail", text)"""
    import numpy
    with tempfile.TemporaryDirectory(prefix="penjing-node-") as where:
        target = pathlib.Path(where)
        why = prepare(folder, target) or WITHDRAWN.get(folder.name)
        if why:
            return "skip", why
        out = subprocess.run([cli, "infer", target / "model.onnx", "--input", target / "x.npy", "--output",
                              target / "out.npy", "--device", "cpu", "--quiet"], capture_output=True, text=True)
        if out.returncode == 1:
            for pattern, reason in REASONS:
                if re.search(pattern, out.stderr):
                    return "skip", reason
        if out.returncode != 0:
            return "fail", f"exit status {out.returncode}: {out.stderr.strip()}"
        got, expected = numpy.load(target / "out.npy"), numpy.load(target / "y.npy")
        if got.size != expected.size:
            return "fail", f"{got.shape} instead of {expected.shape}"
        scale = max(float(numpy.abs(expected).max()), 1e-3)
        error = float(numpy.abs(got.reshape(-1) - expected.reshape(-1)).max()) / scale
        return ("ok" if error <= TOLERANCE else "fail"), f"largest difference {error:.1e}"


def main():
    if not DATA.is_dir():
        print("1..0 # SKIP libonnx-testdata is not installed")
        return 0
    folders = sorted(p for p in DATA.iterdir() if (p / "model.onnx").exists())
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda f: check(sys.argv[1], f), folders))
    shown = [(f, r) for f, r in zip(folders, results) if r != ("skip", "another operator")]
    print(f"1..{len(shown)}")
    for i, (folder, (kind, text)) in enumerate(shown, 1):
        name = folder.name.removeprefix("test_")
        print(f"{'not ok' if kind == 'fail' else 'ok'} {i} {name}{' # SKIP ' + text if kind == 'skip' else ''}")
        if kind == "fail":
            print("#", text.replace("\n", "\n# "))
    n_ok = sum(r[0] == "ok" for _, r in shown)
    print(f"# {n_ok} compared")
    return 1 if any(r[0] == "fail" for _, r in shown) or n_ok == 0 else 0


sys.exit(main())
