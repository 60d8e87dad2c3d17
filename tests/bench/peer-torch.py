#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: peer-torch.py BENCH-PLAN [ROUNDS]

Images per second of PyTorch and of bench-plan on the same networks, run alternately on the same
threads; PyTorch in both of its memory formats.  Prints medians over the rounds and the ratio to the
better format.  Needs python3-torch."""
import os
import statistics
import subprocess
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

THREADS = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))
BATCH = 64
SECONDS = 2.0


def vgg_mini():
    layers, c = [], 1
    for i, w in enumerate((32, 64, 128)):
        for _ in range(2):
            layers += [nn.Conv2d(c, w, 3, padding=1, bias=False), nn.BatchNorm2d(w), nn.ReLU(True)]
            c = w
        if i < 2:
            layers += [nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


class Block(nn.Module):
    def __init__(self, c_in, c, stride):
        super().__init__()
        self.a = nn.Sequential(nn.Conv2d(c_in, c, 3, stride, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU(True),
                               nn.Conv2d(c, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c))
        self.s = nn.Sequential()
        if c_in != c or stride != 1:
            self.s = nn.Sequential(nn.Conv2d(c_in, c, 1, stride, bias=False), nn.BatchNorm2d(c))

    def forward(self, x):
        return F.relu(self.a(x) + self.s(x), inplace=True)


def resnet20():
    layers, c = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(True)], 16
    for stage, w in enumerate((16, 32, 64)):
        for b in range(3):
            layers.append(Block(c, w, 2 if stage > 0 and b == 0 else 1))
            c = w
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def torch_rate(make, shape, train, channels_last):
    torch.manual_seed(0)
    net, x, y = make(), torch.randn(BATCH, *shape), torch.randint(0, 10, (BATCH,))
    if channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    sgd = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)

    def step():
        sgd.zero_grad()
        F.cross_entropy(net(x), y).backward()
        sgd.step()

    def infer():
        with torch.no_grad():
            net(x)

    run, times = step if train else infer, []
    net.train(train)
    run()
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return BATCH / statistics.median(times)


def own_rate(bench, name, train):
    out = subprocess.run([bench, name, "train" if train else "infer", str(BATCH), str(SECONDS)],
                         env={**os.environ, "OMP_NUM_THREADS": str(THREADS)}, capture_output=True, text=True, check=True)
    return float(out.stdout.split()[0])


def main():
    bench, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    torch.set_num_threads(THREADS)
    for name, make, shape in (("vgg-mini", vgg_mini, (1, 28, 28)), ("resnet20", resnet20, (3, 32, 32))):
        for train in (True, False):
            rows = [(torch_rate(make, shape, train, False), torch_rate(make, shape, train, True), own_rate(bench, name, train))
                    for _ in range(rounds)]
            nchw, nhwc, own = (statistics.median(column) for column in zip(*rows))
            ratio = statistics.median(r[2] / max(r[0], r[1]) for r in rows)
            print(f"{name:9} {'train' if train else 'infer'}  PyTorch {nchw:7.0f} (NCHW) {nhwc:7.0f} (channels last)"
                  f"  own {own:7.0f}  ratio {ratio:.2f}", flush=True)


main()
