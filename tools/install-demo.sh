#!/bin/sh
# SPDX-License-Identifier: MIT
# usage (by meson install): install-demo.sh FOLDER
# Installs what tools/onnxruntime-web.sh fetched into the build folder, if it did.
[ -f "$MESON_BUILD_ROOT/demo/version" ] || exit 0
mkdir -p "$MESON_INSTALL_DESTDIR_PREFIX/$1" && cp "$MESON_BUILD_ROOT"/demo/* "$MESON_INSTALL_DESTDIR_PREFIX/$1"
