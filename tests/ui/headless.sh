#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: headless.sh COMMAND [ARG...]
# Runs COMMAND with a display, a session bus, a window manager and an empty home of its own, and removes
# them afterwards.  TEST_LANGUAGE sets the language, TEST_SCREEN the size (1360x900).  Exit status:
# COMMAND's; 77, a skip for meson, when a tool is missing.
for tool in Xvfb dbus-run-session; do
  command -v $tool >/dev/null || { echo "$tool not found" >&2; exit 77; }
done

work=$(mktemp -d) || exit 1
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The server chooses its number itself, so that runs side by side cannot collide.
Xvfb -displayfd 3 -screen 0 "${TEST_SCREEN:-1360x900}x24" -nolisten tcp -noreset 3>"$work/display" 2>"$work/xvfb.log" &
server=$!
tries=0
until [ -s "$work/display" ]; do
  tries=$((tries + 1))
  if [ $tries -gt 400 ] || ! kill -0 $server 2>/dev/null; then
    cat "$work/xvfb.log" >&2
    exit 1
  fi
  sleep 0.05
done

mkdir -m 700 "$work/run" "$work/home"
export DISPLAY=":$(cat "$work/display")" HOME="$work/home" XDG_RUNTIME_DIR="$work/run"
export XDG_CONFIG_HOME="$HOME/.config" XDG_DATA_HOME="$HOME/.local/share" XDG_CACHE_HOME="$HOME/.cache" \
       XDG_STATE_HOME="$HOME/.local/state"
# The fonts that the packages of ./run bring, whatever else this machine has.
mkdir -p "$XDG_CONFIG_HOME/fontconfig"
cat >"$XDG_CONFIG_HOME/fontconfig/fonts.conf" <<'FONTS'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <alias binding="strong"><family>Sans</family><prefer><family>Cantarell</family><family>Noto Sans CJK SC</family></prefer></alias>
  <alias binding="strong"><family>sans-serif</family><prefer><family>Cantarell</family><family>Noto Sans CJK SC</family></prefer></alias>
</fontconfig>
FONTS
# Without OpenGL the program is small and its pictures are the same from run to run.
export GDK_BACKEND=x11 GSK_RENDERER="${GSK_RENDERER:-cairo}" GDK_DEBUG="${GDK_DEBUG:-gl-disable:default-settings}" \
       GSETTINGS_BACKEND=memory
export LC_ALL=C.UTF-8 LANGUAGE="${TEST_LANGUAGE:-}"
unset WAYLAND_DISPLAY GTK_THEME GTK_MODULES

# The bus and what it starts say things, too: standard output is the command's alone.
# A window manager hands the focus back when a dialog closes; the tests do without where there is none.
export PENJING_WM_READY="$work/wm"
dbus-run-session -- sh -c '
  if command -v openbox >/dev/null; then
    openbox --startup "touch $PENJING_WM_READY" >/dev/null 2>&1 &
    tries=0
    until [ -e "$PENJING_WM_READY" ] || [ $tries -gt 200 ]; do tries=$((tries + 1)); sleep 0.05; done
  fi
  exec "$@" >&4 4>&-' sh "$@" 4>&1 >/dev/null 2>"$work/stderr"
status=$?
grep -v '^dbus-daemon\[' "$work/stderr" >&2
exit $status
