#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: weston.sh COMMAND [ARG...]
# As headless.sh, on a Wayland compositor that shows nothing.  Exit status: COMMAND's; 77, a skip for meson, when
# a tool is missing.
for tool in weston dbus-run-session; do
  command -v $tool >/dev/null || { echo "$tool not found" >&2; exit 77; }
done
work=$(mktemp -d) || exit 1
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -m 700 "$work/run" "$work/home"
export HOME="$work/home" XDG_RUNTIME_DIR="$work/run" WAYLAND_DISPLAY=penjing-test
export XDG_CONFIG_HOME="$HOME/.config" XDG_DATA_HOME="$HOME/.local/share" XDG_CACHE_HOME="$HOME/.cache" \
       XDG_STATE_HOME="$HOME/.local/state"
weston --backend=headless-backend.so --socket=penjing-test --width=1360 --height=900 --idle-time=0 \
  >"$work/weston.log" 2>&1 &
server=$!
tries=0
until [ -S "$work/run/penjing-test" ]; do
  tries=$((tries + 1))
  if [ $tries -gt 400 ] || ! kill -0 $server 2>/dev/null; then
    cat "$work/weston.log" >&2
    exit 1
  fi
  sleep 0.05
done
export GDK_BACKEND=wayland GSK_RENDERER="${GSK_RENDERER:-cairo}" GDK_DEBUG="${GDK_DEBUG:-gl-disable:default-settings}" \
       GSETTINGS_BACKEND=memory LC_ALL=C.UTF-8 LANGUAGE="${TEST_LANGUAGE:-}"
unset DISPLAY GTK_THEME GTK_MODULES
dbus-run-session -- "$@" 2>"$work/stderr"
status=$?
grep -v '^dbus-daemon\[' "$work/stderr" >&2
exit $status
