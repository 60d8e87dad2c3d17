#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: check-layers.py ROOT

Holds the includes of every C file against the layers of the tree: ui -> app/model -> engine, and each
outside library in its one room.  Speaks TAP.
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)

# library header -> the only folders that may include it
ROOMS = {
    "vulkan/": ["engine/compute/vulkan/"],
    "dnnl": ["engine/compute/cpu/"],
    "sqlite3.h": ["engine/session/"],
    "turbojpeg.h": ["engine/data/"],
    "png.h": ["engine/data/"],
    "gtk/": ["ui/", "app/main.c"],
    "json-glib/": ["app/"],
}
ENGINE = ["base/", "graph/", "ops/", "compute/", "data/", "train/", "prune/", "io/", "session/", "layout/"]
# engine folder -> engine folders that it must not know
NEVER = {
    "engine/base/": ["graph/", "ops/", "compute/", "data/", "train/", "prune/", "io/", "session/", "layout/"],
    "engine/graph/": ["data/", "train/", "prune/", "io/", "session/", "layout/"],
    "engine/ops/": ["data/", "train/", "prune/", "io/", "session/", "layout/"],
    "engine/compute/": ["data/", "train/", "prune/", "io/", "session/", "layout/"],
    "engine/data/": ["compute/", "train/", "prune/", "io/", "session/", "layout/"],
    "engine/train/": ["prune/", "io/", "session/", "layout/"],
    "engine/prune/": ["io/", "session/", "layout/"],
    "engine/layout/": ["graph/", "ops/", "compute/", "data/", "train/", "prune/", "io/", "session/"],
}


def starts(path, prefixes):
    return any(path.startswith(p) for p in prefixes)


def complaints(path, include):
    for header, rooms in ROOMS.items():
        if include.startswith(header) and not starts(path, rooms):
            yield f"{path} includes {include}, which belongs in {', '.join(rooms)}"
    for folder, never in NEVER.items():
        if path.startswith(folder) and starts(include, never):
            yield f"{path} includes {include}: {folder} must not know {include.split('/')[0]}/"
    if path.startswith("engine/") and (starts(include, ["model/", "ui/", "cli/", "glib-object.h"])):
        yield f"{path} includes {include}: the engine knows neither GObject nor its users"
    if path.startswith("ui/") and starts(include, ENGINE):
        yield f"{path} includes {include}: the studio sees the engine through app/model only"
    if path.startswith("app/model/") and include.endswith(".h") and path.endswith(".h") and starts(include, ENGINE):
        if "private" not in path and "work" not in path and "queue" not in path:
            yield f"{path} includes {include}: public model headers hide the engine"


def main():
    files = [p for folder in ("engine", "app", "ui") for p in sorted((root / folder).rglob("*.[ch]"))]
    bad = []
    for file in files:
        path = file.relative_to(root).as_posix()
        for include in INCLUDE.findall(file.read_text()):
            bad.extend(complaints(path, include))
    spdx = [f for f in files if "SPDX-License-Identifier: MIT" not in f.read_text()[:200]]
    print("1..2")
    for line in bad:
        print("#", line)
    print(("not " if bad or len(files) < 50 else "") + "ok 1 /repo/layers")
    for file in spdx:
        print("# without a licence line:", file.relative_to(root))
    print(("not " if spdx else "") + "ok 2 /repo/licence-lines")


main()
