#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: methods-table.py FOLDER...

Takes the results of tools/compare-methods.sh in FOLDERs over into docs/experiments.md, one table for each data set, size
and keep ratio, and those of the photos of 32 x 32 at keep 0.5 into README.md.  Tables without results stay as they are.
"""
import csv
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
TITLES = {
    "random": "random", "uniform-thin": "uniform thinning", "weight-sum": "weight sum", "apoz": "APoZ", "taylor": "Taylor",
    "kl": "KL divergence", "curl": "CURL’s choice (allocates the MACs itself)", "thinet": "ThiNet",
    "thinet-ls": "ThiNet, least-squares criterion", "channel-pruning": "Channel-Pruning",
    "autopruner": "AutoPruner (trains while it prunes)", "scratch-e": "from scratch, as many epochs",
}


def percent(row, name):
    if not row[name]:
        return "–"
    return f"{100 * float(row[name]):.1f} ± {100 * float(row[name + '_spread']):.1f}"


def cells(row):
    if row is None:
        return ["", "", ""]
    return [f"{100 * float(row['macs_share']):.0f} %", percent(row, "cut"), percent(row, "tuned")]


def table(results):
    """A table of one or more networks: {network: {method: row}}."""
    heads = "".join(f" {network}: MACs | right after cutting | fine-tuned |" for network in results)
    lines = ["| |" + heads, "|---|" + "---|---|---|" * len(results)]
    for method, title in TITLES.items():
        rows = [rows.get(method) for rows in results.values()]
        if any(rows):
            lines.append("| " + " | ".join([title] + [cell for row in rows for cell in cells(row)]) + " |")
    return "\n".join(lines) + "\n"


def replace(path, name, text):
    page = path.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, found, rest = page.partition(start)
    _, closed, after = rest.partition(end)
    if found and closed:
        path.write_text(before + start + text + end + after, encoding="utf-8")
    return bool(found and closed)


def main(folders):
    results = {}
    for folder in folders:
        for path in sorted(pathlib.Path(folder).glob("*-keep-*-means.csv"), reverse=True):
            network, size, keep = re.fullmatch(r"(.+)-(\d+)-keep-([\d.]+)-means\.csv", path.name).groups()
            with path.open(encoding="utf-8", newline="") as file:
                rows = {row["method"]: row for row in csv.DictReader(file)}
            name = f"{'fashion' if size == '28' else 'photos-' + size}-{keep}"
            results.setdefault(name, {})[network] = rows
    for name, networks in results.items():
        pages = [page for page in ("docs/experiments.md", "README.md") if replace(root / page, name, table(networks))]
        print(f"{name}: {', '.join(networks)} -> {', '.join(pages) or 'no page has a place for it'}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
