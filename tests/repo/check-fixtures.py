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

# What is read in another way, or is no number to compare with.
EXCEPT = {
    "activation_stats.json": {"statistics/mean_std_sample": "given for contrast: the criterion takes the population's deviation"},
    "channel_pruning.json": {"unit_norm_rewrite": "the weights are fitted anew, so no norm has to be put back"},
    "counts.json": {
        "rows/[]/arch": "the widths are in engine/train/tables/rows.c; the counts that they give are compared",
        "rows/[]/seed/[]/computed": "the count is compared under the name of its convention",
        **{f"rows/[]/{name}": "read under the name that pj_convention_name() gives"
           for name in ("weights", "caffe", "learnable", "macs", "macs_bn", "flops", "flops_caffe")},
    },
    "curl.json": {f"importance/channels/{c}/half_variance_approx": "an approximation that is not used" for c in "abc"},
    "filter_norm.json": {"l2": "the criterion is the L1 norm"},
    "magnitude.json": {f"std/{w} q={q}/sigma_sample": "given for contrast: the threshold takes the population's deviation"
                       for w in ("w1", "w2") for q in ("0.75", "1")},
    "taylor.json": {f"t2017/{name}_elementwise{rest}": "another program's form; ours is the paper's, of each picture"
                    for name, rest in (("order", ""), ("score", "_abs"))},
    "thinet.json": {"duplicate_channel/ridge_relative": "ours begins smaller; the answer is the same"},
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
    files = sorted((tests / "fixtures/spec").glob("*.json"))
    print(f"1..{len(files)}")
    failed = False
    for i, file in enumerate(files, 1):
        name = file.name
        marks = [f"spec/{name}"] + OPENERS.get(name, [])
        text = "\n".join(t for t in sources.values() if any(mark in t for mark in marks))
        skip = EXCEPT.get(name, {})
        fixture = json.loads(file.read_text(encoding="utf-8"))
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
