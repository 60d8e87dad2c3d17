#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: tests/ui/screenshots.sh BUILD FOLDER [MODEL DATA]
# Makes the pictures of every page: a session is worked out once (sample session, or MODEL with the folder
# DATA), then photographed in English and light and in Chinese and dark.  The ones of the README are in
# resources/screenshots.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
build=$(CDPATH= cd -- "$1" && pwd); mkdir -p "$2"; out=$(CDPATH= cd -- "$2" && pwd)
shift 2
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
export PENJING_STATE_DIR="$work" TEST_SECONDS="${TEST_SECONDS:-600}"
"$here/headless.sh" /usr/bin/python3 "$here/screenshots.py" work "$build/app/penjing" "$out" "$@"
session=$(find "$work" -name '*.penjing' | head -1)
"$here/headless.sh" /usr/bin/python3 "$here/screenshots.py" light "$build/app/penjing" "$out/en" "$session"
TEST_LANGUAGE=zh_CN "$here/headless.sh" /usr/bin/python3 "$here/screenshots.py" dark "$build/app/penjing" "$out/zh_CN" "$session"
# Few colours: a fraction of the size, and no difference that the eye sees.
for picture in "$out"/en/*.png "$out"/zh_CN/*.png; do
  convert "$picture" -strip +dither -colors 255 -define png:compression-level=9 PNG8:"$picture"
done
