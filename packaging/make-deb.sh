#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: packaging/make-deb.sh BUILD FOLDER
# Makes a Debian package of what BUILD holds in FOLDER and prints its path.  Programs find their translations and
# data beside themselves, so the build's prefix does not matter.  Needs dpkg-dev; no root.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
build=$(CDPATH= cd -- "$1" && pwd); mkdir -p "$2"; out=$(CDPATH= cd -- "$2" && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

version=$(meson introspect "$build" --projectinfo | sed -n 's/.*"version": *"\([^"]*\)".*/\1/p')
prefix=$(meson introspect "$build" --buildoptions | python3 -c '
import json, sys
print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"))')
architecture=$(dpkg --print-architecture)
stage=$work/stage
DESTDIR="$work/destdir" meson install -C "$build" --no-rebuild --quiet >&2
mkdir -p "$stage"
mv "$work/destdir$prefix" "$stage/usr"
strip --strip-unneeded "$stage"/usr/bin/*
gzip -9n "$stage"/usr/share/man/man1/*.1
doc=$stage/usr/share/doc/penjing
mkdir -p "$doc"
cat >"$doc/copyright" <<COPYRIGHT
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Penjing

Files: *
Copyright: The Penjing developers
License: MIT
$(sed -e 's/^$/./' -e 's/^/ /' "$root/LICENSE")
COPYRIGHT
if [ -d "$stage/usr/share/penjing/demo" ]; then
  printf '\nFiles: usr/share/penjing/demo/*\nCopyright: Microsoft Corporation\nLicense: MIT\n' >>"$doc/copyright"
fi
printf 'penjing (%s) stable; urgency=medium\n\n  * See the releases of the project.\n\n -- %s  %s\n' "$version" \
  "The Penjing developers <penjing@users.noreply.github.com>" "$(date -Ru -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}")" \
  | gzip -9n >"$doc/changelog.gz"

# Which libraries the programs really need, from the programs themselves.
mkdir "$work/debian"
printf 'Source: penjing\n\nPackage: penjing\nArchitecture: any\n' >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O stage/usr/bin/* 2>"$work/shlibdeps.log" | sed -n 's/^shlibs:Depends=//p') || {
  cat "$work/shlibdeps.log" >&2
  exit 1
}

mkdir "$stage/DEBIAN"
cat >"$stage/DEBIAN/control" <<CONTROL
Package: penjing
Version: $version
Architecture: $architecture
Maintainer: The Penjing developers <penjing@users.noreply.github.com>
Installed-Size: $(du -sk "$stage/usr" | cut -f1)
Depends: $depends
Recommends: adwaita-icon-theme, fonts-cantarell, mesa-vulkan-drivers
Suggests: dataset-fashion-mnist
Section: science
Priority: optional
Homepage: https://github.com/penjing/penjing
Description: studio that makes convolutional networks smaller
 Opens trained networks (ONNX), shows how important every channel of every
 layer is, removes channels by hand, by criterion or by a method such as
 ThiNet, trains what is left, compares the alternatives, and exports networks
 that are really smaller and faster. Computes on the processor or on a
 graphics card (Vulkan).
 .
 The package holds the studio, penjing, and the command line, penjing-cli.
CONTROL
(cd "$stage" && find usr -type f -exec md5sum {} + | LC_ALL=C sort -k 2 >DEBIAN/md5sums)
find "$stage" -type d -exec chmod 755 {} +
find "$stage/usr/share" -type f -exec chmod 644 {} +
package=$out/penjing_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz -z2 --build "$stage" "$package" >&2
echo "$package"
