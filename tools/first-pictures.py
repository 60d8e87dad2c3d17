#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: tools/first-pictures.py FOLDER N OUT

Copies a data set of IDX files (Fashion-MNIST, MNIST) from FOLDER to OUT with the first N pictures of its training part;
the test part stays whole.
"""
import gzip
import os
import struct
import sys

folder, count, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.makedirs(out)
for name in os.listdir(folder):
    if not name.endswith("-ubyte.gz"):
        continue
    with gzip.open(os.path.join(folder, name)) as file:
        data = file.read()
    if name.startswith("train"):
        # Two bytes of zero, the type, the number of dimensions, then the dimensions: pictures first.
        dims = struct.unpack(f">{data[3]}I", data[4:4 + 4 * data[3]])
        if count > dims[0]:
            sys.exit(f"{name} holds {dims[0]} pictures, fewer than {count}")
        size = count
        for dim in dims[1:]:
            size *= dim
        start = 4 + 4 * data[3]
        data = data[:4] + struct.pack(">I", count) + data[8:start + size]
    with gzip.GzipFile(os.path.join(out, name), "wb", mtime=0) as file:
        file.write(data)
