#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: export.py MODEL FOLDER

Writes FOLDER/MODEL.onnx, a classification network of torchvision as PyTorch exports it, with random seeded
weights, and beside it one input and PyTorch's own output, MODEL.in.f32 and MODEL.torch.f32.  Norms are kept
and their statistics are those of a trained network in kind: settled, and not 0 and 1.
"""
import pathlib
import sys
import warnings

import torch
import torchvision

OPSET = 14


def settle(model, x):
    """Running statistics of the network's own activations, a little off, so that nothing cancels."""
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
        norm.weight.data.uniform_(0.6, 1.4)
        norm.bias.data.normal_(0, 0.2)
    if norms:
        model.train()
        for module in model.modules():
            if isinstance(module, (torch.nn.Dropout, torchvision.ops.StochasticDepth)):
                module.eval()
        with torch.no_grad():
            model(torch.cat([x, torch.randn_like(x)]))
    for norm in norms:
        norm.running_mean += 0.1 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
        norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.8, 1.2)


def make(name):
    options = {"aux_logits": True, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
    model = getattr(torchvision.models, name)(weights=None, **options)
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.kaiming_normal_(module.weight)
        # Without this the scale of a layer starts so small that its block does nothing.
        if hasattr(module, "layer_scale"):
            module.layer_scale.data.uniform_(0.5, 1.0)
    return model


def main(name, folder):
    torch.manual_seed(1)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    model = make(name)
    size = 299 if name == "inception_v3" else 224
    x = torch.randn(1, 3, size, size)
    settle(model, x)
    model.eval()
    with torch.no_grad():
        y = model(x)
    base = pathlib.Path(folder) / name
    torch.onnx.export(model, x, f"{base}.onnx", opset_version=OPSET, do_constant_folding=False,
                      training=torch.onnx.TrainingMode.PRESERVE, dynamic_axes={"input": {0: "N"}},
                      input_names=["input"], output_names=["output"])
    x.numpy().tofile(f"{base}.in.f32")
    y.numpy().tofile(f"{base}.torch.f32")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
