#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: tools/screenshots.sh BUILD [FOLDER [MODEL DATA]]
# Makes the pictures of every page into FOLDER (resources/screenshots): a session is worked out once (the sample
# session, or MODEL with the folder DATA), then photographed in English light and dark and in Chinese.  With
# PENJING_SCREENSHOT_SESSION, a session that was worked out before, only photographs.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
build=$(CDPATH= cd -- "$1" && pwd); shift
out=${1:-$root/resources/screenshots}; mkdir -p "$out"; out=$(CDPATH= cd -- "$out" && pwd)
[ $# -gt 0 ] && shift
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
export TEST_SECONDS="${TEST_SECONDS:-600}" TEST_SCREEN="${TEST_SCREEN:-1440x960}" STUDIO_G_DEBUG=none
photograph() { # LANGUAGE STYLE SUFFIX
  TEST_LANGUAGE=$1 "$root/tests/ui/headless.sh" /usr/bin/python3 "$root/tests/ui/screenshots.py" "$2" \
    "$build/app/penjing" "$work/$3" "$work/session.penjing"
  for picture in "$work/$3"/*.png; do
    # Few colours: a fraction of the size, and no difference that the eye sees.
    convert "$picture" -strip +dither -colors 255 -define png:compression-level=9 \
      PNG8:"$out/$(basename "$picture" .png)$3.png"
  done
}

if [ -n "${PENJING_SCREENSHOT_SESSION-}" ]; then
  cp "$PENJING_SCREENSHOT_SESSION" "$work/session.penjing"
else
  mkdir "$work/state"
  PENJING_STATE_DIR="$work/state" "$root/tests/ui/headless.sh" /usr/bin/python3 "$root/tests/ui/screenshots.py" work \
    "$build/app/penjing" "$work/work" "$@"
  mv "$(find "$work/state" -name '*.penjing' | head -1)" "$work/session.penjing"
fi
photograph '' light ''
photograph '' dark -dark
photograph zh_CN light -zh_CN

# A demo, where a browser and its runtime are there.
export PENJING_DEMO_RUNTIME="${PENJING_DEMO_RUNTIME:-$build/demo}"
if [ -f "$PENJING_DEMO_RUNTIME/version" ]; then
  "$build/app/penjing-cli" export "$work/session.penjing" --format demo --data sample --out "$work/demo" >/dev/null
  /usr/bin/python3 - "$root/tests/demo" "$work" <<'PICTURES'
import sys
sys.path.insert(0, sys.argv[1])
from browser import Browser
for language, dark, name in (("en-US", False, "demo"), ("en-US", True, "demo-dark"), ("zh-CN", False, "demo-zh_CN")):
    with Browser(language, dark) as page:
        page.open(f"{sys.argv[2]}/demo/index.html")
        page.wait_for("document.documentElement.dataset.state === 'ready'")
        page.picture(f"{sys.argv[2]}/{name}.png")
PICTURES
  for picture in "$work"/demo*.png; do
    convert "$picture" -strip +dither -colors 255 -define png:compression-level=9 PNG8:"$out/$(basename "$picture")"
  done
fi
