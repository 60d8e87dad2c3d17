#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: count-tests.py JUNIT.xml...

Adds up the test cases of meson's reports and prints "N passed, N failed, N skipped" as the last line.
A report that is missing counts as one failure, and so does a program that ended badly although all cases that it told of
had passed: the report leaves that out, but meson's log, NAME.json beside NAME.junit.xml, has it.  Exit status 1 if
anything failed or nothing passed.
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as ET


def is_failed(case):
    return case.find("failure") is not None or case.find("error") is not None


def crashed(path, failed_suites):
    """Names of programs that ended badly and of which no case failed."""
    log = pathlib.Path(path.removesuffix(".junit.xml") + ".json")
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    tests = [json.loads(line) for line in lines if line.strip()]
    return [test["name"] for test in tests
            if test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL") and test["name"] not in failed_suites]


passed = failed = skipped = 0
for path in sys.argv[1:]:
    try:
        suites = list(ET.parse(path).iter("testsuite"))
    except (OSError, ET.ParseError) as reason:
        print(f"no report: {reason}")
        failed += 1
        continue
    failed_suites = set()
    for suite in suites:
        for case in suite.iter("testcase"):
            if is_failed(case):
                failed += 1
                failed_suites.add(suite.get("name").split(".", 1)[-1])
                print("FAILED", case.get("classname"), case.get("name"))
            elif case.find("skipped") is not None:
                skipped += 1
            else:
                passed += 1
    for name in crashed(path, failed_suites):
        failed += 1
        print("FAILED", name, "(the program ended badly)")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or not passed else 0)
