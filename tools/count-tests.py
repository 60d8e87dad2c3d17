#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: count-tests.py JUNIT.xml...

Adds up the test cases of meson's reports and prints "N passed, N failed, N skipped" as the last line.
A report that is missing counts as one failure.  Exit status 1 if anything failed or nothing passed.
"""
import sys
import xml.etree.ElementTree as ET

passed = failed = skipped = 0
for path in sys.argv[1:]:
    try:
        cases = list(ET.parse(path).iter("testcase"))
    except (OSError, ET.ParseError) as reason:
        print(f"no report: {reason}")
        failed += 1
        continue
    for case in cases:
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
            print("FAILED", case.get("classname"), case.get("name"))
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or not passed else 0)
