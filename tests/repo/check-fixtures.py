#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: check-fixtures.py ROOT

Every number of the specification's fixtures is looked at by a test: each key must stand in a string of a test program
that opens the file, or of the helpers that it includes, as a part of a path ("cases/flatten_fc/kept_columns").  Parts
with a printf directive stand for all keys that they can make.  Whether the number is compared with anything is for the
reader of the test to see; a case that nobody reads is found here.  Speaks TAP.
"""
import json
import pathlib
import re
import sys

FILES = ["bn.json", "counts.json", "rounding.json", "structure.json", "toy_network.json"]

# What is read in another way, or is no number to compare with.
EXCEPT = {
    "counts.json": {
        "rows/[]/arch": "the widths are in engine/train/tables/rows.c; the counts that they give are compared",
        "rows/[]/seed/[]/computed": "the count is compared under the name of its convention",
        **{f"rows/[]/{name}": "read under the name that pj_convention_name() gives"
           for name in ("weights", "caffe", "learnable", "macs", "macs_bn", "flops", "flops_caffe")},
    },
    "structure.json": {"tolerance_fp64": "the engine computes in single precision"},
}

# How a test says that it opens a file, besides its name.
OPENERS = {"structure.json": ["case_of ("], "toy_network.json": ["lab_init_toy ("]}

LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
INCLUDE = re.compile(r'#include "([a-z-]+)\.h"')
DIRECTIVE = re.compile(r"%[ds]")


def with_helpers(source):
    """The text of a test program and of the helpers beside it."""
    text = source.read_text(encoding="utf-8")
    for name in INCLUDE.findall(text):
        helper = source.with_name(name + ".c")
        if helper != source and helper.exists():
            text += helper.read_text(encoding="utf-8")
    return text


def parts_of(text):
    """Words, and patterns for words that are put together."""
    words, patterns = set(), set()
    for literal in LITERAL.findall(text):
        for part in literal.split("/"):
            if not DIRECTIVE.search(part):
                words.add(part)
            elif DIRECTIVE.sub("", part):
                patterns.add(".+".join(map(re.escape, DIRECTIVE.split(part))))
    return words, [re.compile(pattern) for pattern in patterns]


def missing(node, path, known, skip):
    if isinstance(node, list):
        return [m for item in node if isinstance(item, dict) for m in missing(item, path + "[]/", known, skip)]
    found = []
    words, patterns = known
    for key, value in node.items() if isinstance(node, dict) else ():
        # Remarks.
        if isinstance(value, str) or path + key in skip:
            continue
        if key in words or any(p.fullmatch(key) for p in patterns):
            found += missing(value, path + key + "/", known, skip)
        else:
            found.append(path + key)
    return found


def main(root):
    tests = pathlib.Path(root) / "tests"
    sources = {path: with_helpers(path) for path in sorted(tests.rglob("*.c"))}
    print(f"1..{len(FILES)}")
    failed = False
    for i, name in enumerate(FILES, 1):
        marks = [f"spec/{name}"] + OPENERS.get(name, [])
        text = "\n".join(t for t in sources.values() if any(mark in t for mark in marks))
        skip = EXCEPT.get(name, {})
        fixture = json.loads((tests / "fixtures/spec" / name).read_text(encoding="utf-8"))
        unread = sorted(set(missing(fixture, "", parts_of(text), skip)))
        failed |= bool(unread)
        print(f"{'not ok' if unread else 'ok'} {i} - /repo/fixtures/{name}")
        for path in unread:
            print(f"# no test reads {path}")
    return failed


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
