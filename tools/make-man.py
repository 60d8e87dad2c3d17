#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: make-man.py cli|studio PROGRAM VERSION TEMPLATE >PAGE

Manual pages from what the programs say of themselves.  TEMPLATE is roff with the marks @VERSION@, @VERBS@ (of
penjing-cli: one subsection for each verb, its --help) and @OPTIONS@ (of penjing).
"""
import os
import re
import subprocess
import sys


def help_of(*command):
    # English, and nothing of a sanitizer build in the page.
    env = dict(os.environ, LC_ALL="C.UTF-8", LANGUAGE="", ASAN_OPTIONS="detect_leaks=0", COLUMNS="80")
    return subprocess.run([*command, "--help"], env=env, check=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE).stdout.decode()


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)
    # Plain ASCII reads the same in every locale.
    return re.sub(r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found.group()):04X}]", text)


def paragraphs(text):
    """Prose flows; examples and tables, which are indented, stay as they are."""
    out = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.splitlines()
        if lines[0] == "Examples:":
            out += [".PP", "Examples:", ".PP", ".nf", roff("\n".join(lines[1:])), ".fi"]
        elif any(line.startswith(" ") for line in lines):
            out += [".PP", ".nf", roff(block), ".fi"]
        else:
            out += [".PP", roff(" ".join(lines))]
    return out


def options(lines):
    out = []
    for line in lines:
        found = re.match(r"\s+(-.*?)\s{2,}(.*)", line)
        if found:
            out += [".TP", f".B {roff(found.group(1))}", roff(found.group(2))]
        elif line.strip() and out:
            out[-1] += " " + roff(line.strip())
    return out


def parts(text):
    """usage line, paragraph before the options, options, what follows"""
    usage = re.search(r"Usage:\s*\n?\s*(.*)", text).group(1)
    head, _, rest = text.partition("Application Options:\n")
    table, _, about = rest.partition("\n\n")
    before = [b for b in re.split(r"\n\s*\n", head)[1:] if not b.startswith(("Help Options", "  -"))]
    return usage, "\n\n".join(before), table.splitlines(), about


def verb_pages(program):
    out = []
    for name in re.findall(r"^  (\S+)\s+\S.*", help_of(program).partition("Verbs:\n")[2].partition("\n\n")[0], re.M):
        usage, summary, table, about = parts(help_of(program, name))
        out += [f".SS {name}", f".B {roff(usage)}", *paragraphs(summary), *options(table), *paragraphs(about)]
    return out


def main():
    kind, program, version, template = sys.argv[1:]
    page = open(template, encoding="utf-8").read().replace("@VERSION@", version)
    if kind == "cli":
        page = page.replace("@VERBS@", "\n".join(verb_pages(program)))
    else:
        page = page.replace("@OPTIONS@", "\n".join(options(parts(help_of(program))[2])))
    sys.stdout.reconfigure(encoding="utf-8")
    print(re.sub(r"\n{2,}", "\n", page), end="")


main()
