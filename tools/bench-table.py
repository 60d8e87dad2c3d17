#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: bench-table.py REPORT...

Takes the figures of reports that `penjing-cli bench --peers --json` printed over into docs/performance.md, and those that
have a target into README.md.  Figures that no REPORT holds stay as they are.
"""
import json
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
START, END = "<!-- figures -->\n", "<!-- end of figures -->"
HEAD = ["| figure | case | ours | theirs | ratio | target | |", "|---|---|---|---|---|---|---|"]


def number(value):
    """As the program's own table prints it."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def row(figure):
    ratio_alone = figure["unit"] == "×"
    ours = "" if ratio_alone else f"{number(figure['ours'])} {figure['unit']}"
    peer = re.sub(r"(\d+\.\d+)\.\S+$", r"\1", figure["peer"]).replace("onnxruntime-node", "onnxruntime")
    theirs = "" if ratio_alone or not figure["theirs"] else f"{peer}: {number(figure['theirs'])}"
    ratio = "" if not figure["theirs"] else number(figure["ratio"])
    target = "" if not figure["target"] else f"{'≤' if figure['at_most'] else '≥'} {number(figure['target'])}"
    reached = "" if not figure["target"] else "reached" if figure["reached"] else "**missed**"
    return f"| {figure['figure']} | {figure['case']} | {ours} | {theirs} | {ratio} | {target} | {reached} |"


def parts(path):
    """The page before the table, the rows of each figure, and the page behind."""
    before, _, rest = path.read_text(encoding="utf-8").partition(START)
    table, _, after = rest.partition(END)
    rows = {}
    for line in table.splitlines()[2:]:
        rows.setdefault(line.split("|")[1].strip(), []).append(line)
    return before, rows, after


def main(reports):
    measured = {}
    for report in reports:
        for figure in json.loads(pathlib.Path(report).read_text(encoding="utf-8"))["figures"]:
            if "skipped" not in figure:
                measured.setdefault(figure["figure"], []).append(figure)
    for path, chosen in ((root / "docs/performance.md", lambda figure: True), (root / "README.md", lambda figure: figure["target"])):
        before, rows, after = parts(path)
        for name, figures in measured.items():
            rows[name] = [row(figure) for figure in figures if chosen(figure)]
        lines = HEAD + [line for name in rows for line in rows[name]]
        path.write_text(before + START + "\n".join(lines) + "\n" + END + after, encoding="utf-8")
    print(f"{sum(map(len, measured.values()))} rows of {', '.join(measured)}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
