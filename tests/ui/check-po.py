#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: check-po.py ROOT

The translations are complete: every text of the program is in the catalogues, every entry is translated, and
placeholders and mnemonics survived.  Works on copies.  Speaks TAP.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

root = pathlib.Path(sys.argv[1])
number = 0


def report(good, name, *notes):
    global number
    number += 1
    for note in notes:
        print("#", note)
    print(("ok" if good else "not ok"), number, name)


def run(*command):
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


def sources():
    marked = re.compile(r'\b(?:_|N_|C_|g_dngettext|ngettext) ?\(')
    found = set()
    for folder in ("ui", "app", "app/model"):
        for file in (root / folder).glob("*.c"):
            if marked.search(file.read_text()):
                found.add(file.relative_to(root).as_posix())
    for file in (root / "ui").glob("*.ui"):
        if 'translatable="yes"' in file.read_text():
            found.add(file.relative_to(root).as_posix())
    for file in (root / "resources").glob("*.in"):
        found.add(file.relative_to(root).as_posix())
    return found | {"po/engine-texts.c"}


def main():
    if not all(shutil.which(tool) for tool in ("xgettext", "msgmerge", "msgfmt")):
        print("1..0 # SKIP gettext not found")
        return
    languages = [line for line in (root / "po/LINGUAS").read_text().split("\n") if line and not line.startswith("#")]
    print(f"1..{2 + 2 * len(languages)}")
    listed = [line for line in (root / "po/POTFILES.in").read_text().split("\n") if line and not line.startswith("#")]
    missing, stale = sources() - set(listed), set(listed) - sources()
    report(not missing and not stale and listed == sorted(listed), "/po/potfiles-is-complete-and-sorted",
           *(f"missing: {f}" for f in sorted(missing)), *(f"stale: {f}" for f in sorted(stale)))
    with tempfile.TemporaryDirectory() as folder:
        pot = f"{folder}/penjing.pot"
        made = run("xgettext", "--from-code=UTF-8", "--keyword=_", "--keyword=N_", "--keyword=C_:1c,2",
                   "--keyword=ngettext:1,2", "--keyword=g_dngettext:2,3", "--files-from=po/POTFILES.in",
                   f"--output={pot}")
        report(made.returncode == 0, "/po/texts-can-be-collected", *made.stderr.split("\n"))
        for language in languages:
            po = f"{folder}/{language}.po"
            shutil.copy(root / f"po/{language}.po", po)
            run("msgmerge", "--quiet", "--update", "--backup=none", "--no-fuzzy-matching", po, pot)
            left = run("msgattrib", "--untranslated", "--no-obsolete", po).stdout
            report(not left.strip(), f"/po/{language}/is-complete", *left.split("\n")[20:60])
            checked = run("msgfmt", "--check", "--output-file=/dev/null", po)
            report(checked.returncode == 0, f"/po/{language}/keeps-placeholders", *checked.stderr.split("\n"))


main()
