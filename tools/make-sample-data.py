#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: make-sample-data.py [SOURCE [TARGET]]

Writes the embedded subset of Fashion-MNIST: the first 240 training and 60 test pictures of each of the ten
classes, in their original order, as the four IDX files.  The same source gives the same bytes.
"""
import gzip
import pathlib
import struct
import sys

PER_CLASS = {"train": 240, "t10k": 60}
SIDE = 28


def read(path, header):
    data = gzip.open(path).read()
    return data[header:]


def write(path, magic, dims, data):
    body = struct.pack(f">{1 + len(dims)}I", magic, *dims) + data
    # No name and no time in the gzip header: nothing but the pictures decides the bytes.
    with open(path, "wb") as out, gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=9, mtime=0) as packed:
        packed.write(body)


def main():
    source = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist")
    here = pathlib.Path(__file__).resolve().parent.parent
    target = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else here / "resources" / "sample"
    for part, per_class in PER_CLASS.items():
        labels = read(source / f"{part}-labels-idx1-ubyte.gz", 8)
        images = read(source / f"{part}-images-idx3-ubyte.gz", 16)
        taken = [0] * 10
        chosen = []
        for i, label in enumerate(labels):
            if taken[label] < per_class:
                taken[label] += 1
                chosen.append(i)
        size = SIDE * SIDE
        write(target / f"{part}-images-idx3-ubyte.gz", 0x803, (len(chosen), SIDE, SIDE),
              b"".join(images[i * size:(i + 1) * size] for i in chosen))
        write(target / f"{part}-labels-idx1-ubyte.gz", 0x801, (len(chosen),), bytes(labels[i] for i in chosen))
        print(f"{part}: {len(chosen)} pictures")


main()
