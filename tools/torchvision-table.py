#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: torchvision-table.py TABLE...

Takes the rows of tables that tests/torchvision/check.py wrote (./test --all leaves one in build/torchvision.md) over
into docs/torchvision.md and, shorter, into README.md.  Rows of networks that no TABLE names stay as they are.
"""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
START, END = "<!-- networks -->\n", "<!-- end of networks -->"


def rows_of(text):
    """Rows by network, without the head of the table."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return {line.split("|")[1].strip(): line for line in lines}


def short(row):
    """Network, groups, locked, parameters, multiply-adds."""
    name, groups, _, locked, params, macs = (cell.strip() for cell in row.strip("|").split("|"))
    locked = "–" if locked == "scores only" else locked.replace("× is normalised", "normalised")
    return f"| {name} | {groups} | {locked} | {params} | {macs} |"


def main(tables):
    sweep = (root / "tests/torchvision/check.py").read_text(encoding="utf-8")
    order = re.search(r'^MODELS = """(.*?)"""', sweep, re.S | re.M).group(1).split()
    page, readme = root / "docs/torchvision.md", root / "README.md"
    head, bar, table = page.read_text(encoding="utf-8").partition("| network |")
    rows = rows_of(bar + table)
    for path in tables:
        rows.update(rows_of(pathlib.Path(path).read_text(encoding="utf-8")))
    names = [name for name in order if name in rows]
    top = (bar + table).splitlines()[:2]
    page.write_text(head + "\n".join(top + [rows[name] for name in names]) + "\n", encoding="utf-8")

    lines = ["| network | groups | locked, besides the scores | parameters, half of each group gone | MACs |",
             "|---|---:|---|---:|---:|"] + [short(rows[name]) for name in names]
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    text = before + START + "\n".join(lines) + "\n" + END + after
    readme.write_text(re.sub(r"all \d+ pass", f"all {len(names)} pass", text), encoding="utf-8")
    print(f"{len(names)} networks; of the sweep without a row: {', '.join(n for n in order if n not in rows) or 'none'}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
