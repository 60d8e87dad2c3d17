#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: peer-torch.py serve
       peer-torch.py BENCH-PLAN [ROUNDS]

serve: PyTorch as a peer of "penjing-cli bench --peers": one JSON object a line, see app/cli/bench/peer.c and the
functions of Server below.

BENCH-PLAN: images per second of PyTorch and of bench-plan on the same networks, run alternately on the same
threads; PyTorch in both of its memory formats.  Prints medians over the rounds and the ratio to the
better format.  Needs python3-torch."""
import json
import os
import statistics
import subprocess
import sys
import time

try:
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except ImportError:
    print(json.dumps({"missing": "it is not installed (package python3-torch)"}), flush=True)
    sys.exit(0)

THREADS = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))
BATCH = 64
SECONDS = 2.0


def vgg_mini(channels=1, classes=10):
    layers, c = [], channels
    for i, w in enumerate((32, 64, 128)):
        for _ in range(2):
            layers += [nn.Conv2d(c, w, 3, padding=1, bias=False), nn.BatchNorm2d(w), nn.ReLU(True)]
            c = w
        if i < 2:
            layers += [nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, classes))


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


def resnet20(channels=3, classes=10):
    layers, c = [nn.Conv2d(channels, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(True)], 16
    for stage, w in enumerate((16, 32, 64)):
        for b in range(3):
            layers.append(Block(c, w, 2 if stage > 0 and b == 0 else 1))
            c = w
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


class Inverted(nn.Module):
    def __init__(self, c_in, c, expansion, stride):
        super().__init__()
        hidden, layers = c_in * expansion, []
        if expansion > 1:
            layers += [nn.Conv2d(c_in, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6(True)]
        self.a = nn.Sequential(*layers, nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False),
                               nn.BatchNorm2d(hidden), nn.ReLU6(True), nn.Conv2d(hidden, c, 1, bias=False),
                               nn.BatchNorm2d(c))
        self.keeps = stride == 1 and c_in == c

    def forward(self, x):
        return x + self.a(x) if self.keeps else self.a(x)


def mobilenetv2(channels=3, classes=1000):
    layers, c = [nn.Conv2d(channels, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6(True)], 32
    for expansion, w, n, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                    (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(n):
            layers.append(Inverted(c, w, expansion, stride if i == 0 else 1))
            c = w
    layers += [nn.Conv2d(c, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6(True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, classes))


def from_torchvision(name):
    def make(channels, classes):
        try:
            import torchvision
        except ImportError:
            raise RuntimeError("torchvision is not installed (package python3-torchvision)")
        return getattr(torchvision.models, name)(num_classes=classes)
    return make


NETS = {"resnet50": from_torchvision("resnet50"), "vgg16-bn": from_torchvision("vgg16_bn"), "vgg-mini": vgg_mini, "resnet20-b": resnet20, "mobilenetv2": mobilenetv2}


def memory_bytes(field):
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith(field + ":"))


def median_ms(run, seconds):
    """Runs for so long, at least once."""
    times, start = [], time.perf_counter()
    while not times or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        run()
        times.append(time.perf_counter() - before)
    return {"ms": statistics.median(times) * 1e3}


class Server:
    """Each method answers the request whose "do" is its name; the others are its arguments."""

    def __init__(self):
        self.nets, self.convs, self.start_bytes = [], {}, memory_bytes("VmRSS")

    def open(self, net, channels, side, batch, classes, channels_last):
        torch.manual_seed(0)
        model = NETS[net](channels, classes).train()
        x, y = torch.randn(batch, channels, side, side), torch.randint(0, classes, (batch,))
        if channels_last:
            model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
        sgd = torch.optim.SGD(model.parameters(), 1e-4, momentum=0.9, weight_decay=5e-4, nesterov=True)

        def step():
            sgd.zero_grad()
            F.cross_entropy(model(x), y).backward()
            sgd.step()

        step()
        self.nets.append(step)
        return {"net": len(self.nets) - 1}

    def gpu(self):
        if not torch.cuda.is_available():
            raise RuntimeError("this PyTorch has no CUDA device")
        return {"name": torch.cuda.get_device_name()}

    def gpu_open(self, net, channels, side, batch, classes, channels_last, train, tf32):
        torch.manual_seed(0)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        model = NETS[net](channels, classes).cuda().train(train)
        x, y = torch.randn(batch, channels, side, side).cuda(), torch.randint(0, classes, (batch,)).cuda()
        if channels_last:
            model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
        sgd = torch.optim.SGD(model.parameters(), 1e-4, momentum=0.9, weight_decay=5e-4, nesterov=True)

        def step():
            sgd.zero_grad()
            F.cross_entropy(model(x), y).backward()
            sgd.step()
            torch.cuda.synchronize()

        def infer():
            with torch.no_grad():
                model(x)
            torch.cuda.synchronize()

        run = step if train else infer
        for _ in range(3):
            run()
        self.nets.append(run)
        return {"net": len(self.nets) - 1}

    def gpu_run(self, net, seconds):
        return median_ms(self.nets[net], seconds)

    def close(self):
        self.nets = []
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return {}

    def train(self, net, seconds):
        return median_ms(self.nets[net], seconds)

    def conv(self, channels, side, batch, groups, seconds):
        """A 3 × 3 convolution forward in the better of the two formats; both are timed each time."""
        key = (channels, side, batch, groups)
        if key not in self.convs:
            self.convs = {key: []}
            for form in (torch.contiguous_format, torch.channels_last):
                conv = nn.Conv2d(channels, channels, 3, padding=1, groups=groups, bias=False).to(memory_format=form)
                x = torch.randn(batch, channels, side, side).contiguous(memory_format=form)
                self.convs[key].append((conv, x))
                with torch.no_grad():
                    conv(x)
        with torch.no_grad():
            times = [median_ms(lambda: conv(x), seconds / 2)["ms"] for conv, x in self.convs[key]]
        return {"ms": min(times)}

    def export(self, net, path):
        """A network of torchvision with random weights as an ONNX file."""
        try:
            import torchvision
        except ImportError:
            raise RuntimeError("torchvision is not installed (package python3-torchvision)")
        model = getattr(torchvision.models, net)().eval()
        torch.onnx.export(model, torch.randn(1, 3, 224, 224), path, opset_version=13, do_constant_folding=False,
                          training=torch.onnx.TrainingMode.PRESERVE)
        return {}

    def resident(self):
        return {"start_bytes": self.start_bytes, "peak_bytes": memory_bytes("VmHWM")}


def serve():
    torch.set_num_threads(THREADS)
    server, out = Server(), os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not come between the answers
    print(json.dumps({"name": "PyTorch " + torch.__version__}), file=out, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(server, request.pop("do"))(**request)
        except Exception as reason:
            answer = {"error": str(reason)}
        print(json.dumps(answer), file=out, flush=True)


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


if sys.argv[1] == "serve":
    serve()
else:
    main()
