#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: tools/update-po.sh
# Collects the strings of the program into the catalogues in po/: run it after changing a text, then
# translate what is new.  Needs gettext.
set -eu
cd "$(dirname -- "$0")/.."
python3 tools/engine-texts.py .
{
  echo "# Files with texts for people, sorted."
  {
    grep -lE '\b(_|N_|C_|ngettext|g_dngettext) \(|\bN_\(|\b_\(' ui/*.c app/*.c app/model/*.c 2>/dev/null || :
    grep -l 'translatable="yes"' ui/*.ui
    echo po/engine-texts.c
    ls resources/*.desktop.in resources/*.metainfo.xml.in
  } | LC_ALL=C sort -u
} > po/POTFILES.in
pot=$(mktemp)
xgettext --from-code=UTF-8 --package-name=penjing --add-comments=Translators: --sort-by-file \
  --keyword=_ --keyword=N_ --keyword=C_:1c,2 --keyword=ngettext:1,2 --keyword=g_dngettext:2,3 \
  --files-from=po/POTFILES.in --output="$pot"
for po in po/*.po; do
  msgmerge --quiet --update --backup=none --no-fuzzy-matching --sort-by-file "$po" "$pot"
  printf '%s: ' "$po"
  msgfmt --statistics -o /dev/null "$po"
done
rm -f "$pot"
