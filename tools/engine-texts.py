#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: engine-texts.py [--check] ROOT

The engine knows no translations: its registries hold plain English titles and explanations, which the model
translates when it lists them.  This collects those texts into po/engine-texts.c, where xgettext finds them;
with --check it only tells whether that file is up to date.
"""
import pathlib
import re
import sys

STRING = r'"(?:[^"\\]|\\.)*"'
STRINGS = rf'{STRING}(?:\s*{STRING})*'


def joined(literals):
    return "".join(part[1:-1] for part in re.findall(STRING, literals))


def collect(root):
    texts = set()
    for folder in ("engine/ops", "engine/prune/criteria", "engine/prune/methods"):
        for file in sorted((root / folder).glob("*.c")):
            text = file.read_text()
            for match in re.finditer(rf'\.(?:title|about)\s*=\s*({STRINGS})', text):
                texts.add(joined(match.group(1)))
            # Rows made by a macro: MACRO (symbol, "name", "Title", …)
            for match in re.finditer(rf'^[A-Z][A-Z_]+ \([^"\n]*{STRING},\s*({STRING})', text, re.M):
                texts.add(joined(match.group(1)))
    # Settings of methods: { "name", "about", usual … }, and rows of policies: [PJ_TIED_SUM] = { "sum", "Title", "About." }
    for file in sorted([*(root / "engine/prune/methods").glob("*.[ch]")]):
        for match in re.finditer(rf'\{{\s*"[a-z][a-z-]*",\s*({STRINGS}),\s*\\?\s*[-0-9A-Z]', file.read_text()):
            if " " in joined(match.group(1)):
                texts.add(joined(match.group(1)))
    # and what 0 means there: …, NULL, "as published (VGG 3, ResNet 8)" }
    for file in sorted([*(root / "engine/prune/methods").glob("*.[ch]")]):
        for match in re.finditer(rf'\{{\s*"[a-z][a-z-]*",\s*{STRINGS},[^{{}}"]*({STRINGS})\s*\}}', file.read_text()):
            texts.add(joined(match.group(1)))
    for file in ("engine/prune/scores/scores.c", "engine/prune/budget/widths.c"):
        for match in re.finditer(rf'\[PJ_\w+\] = \{{\s*"[a-z]+",\s*({STRINGS}),\s*({STRINGS})', (root / file).read_text()):
            texts.update((joined(match.group(1)), joined(match.group(2))))
    table = re.search(r'pj_exporters\[\] = \{(.*?)\n\};', (root / "engine/io/exporter.c").read_text(), re.S).group(1)
    for match in re.finditer(rf'\{{\s*{STRING},\s*({STRINGS}),\s*({STRINGS}),', table):
        texts.update((joined(match.group(1)), joined(match.group(2))))
    return sorted(texts)


def spoken(root):
    """Sentences that the engine puts together while it works: stages of jobs, reasons of locks, remarks on files,
    readings, as patterns with %s for what is filled in, the way app/model/engine-text.c lists them."""
    found = set()
    for file in sorted([*root.glob("engine/**/*.c"), *root.glob("app/model/*.c")]):
        text = file.read_text().replace('" G_GINT64_FORMAT "', "d")
        found.update(joined(m.group(1)) for m in re.finditer(rf'pj_onnx_remark \([^;]*?,\s*({STRINGS})', text))
        found.update(joined(m.group(1)) for m in re.finditer(rf'pj_hooks_progress \([^;]*?({STRINGS})', text))
        for match in re.finditer(rf'pj_channels_lock \([^;]*?({STRINGS})', text):
            reason = joined(match.group(1))
            found.add(f"“%s” {reason}" if "network’s" in reason else f"“%s” {reason} (node “%s”)")
    reading = (root / "engine/prune/search/sweep.c").read_text().split("\npj_sweep_reading (")[1]
    found.update(joined(m.group(0)) for m in re.finditer(STRINGS, reading.split("\n}\n")[0]))
    patterns = {re.sub(r'%[-+0-9.]*[hlz]*[a-zA-Z]', "%s", text) for text in found}
    return {text for text in patterns if re.search(r'[a-z]', text.replace("%s", ""))}


def main():
    root = pathlib.Path(sys.argv[-1])
    lines = ["/* SPDX-License-Identifier: MIT */",
             "/* Made by tools/engine-texts.py from the registries of the engine; for xgettext only. */",
             "static const char *const engine_texts[] = {"]
    lines += [f'  N_("{text}"),' for text in collect(root)]
    wanted = "\n".join(lines + ["};", ""])
    target = root / "po/engine-texts.c"
    if "--check" in sys.argv:
        print("1..2")
        same = target.exists() and target.read_text() == wanted
        print(("ok" if same else "not ok") + " 1 /po/engine-texts-are-collected")
        if not same:
            print("# run tools/update-po.sh and translate what is new")
        known = {joined(m.group(1)) for m in re.finditer(rf'N_\(({STRINGS})\)', (root / "app/model/engine-text.c").read_text())}
        missing = sorted(spoken(root) - known)
        print(("not ok" if missing else "ok") + " 2 /po/sentences-of-the-engine-are-known")
        for text in missing:
            print(f"# app/model/engine-text.c lacks: {text}")
        return
    target.write_text(wanted)


main()
