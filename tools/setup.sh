# Sourced by ./run and ./test: installs what is missing, builds.  Idempotent and quick the second time.
# Expects $root, the tree, and $sets, the package sets to have ("run", "run test"); sets $build.

build=${PENJING_BUILD:-$root/build}

installed=

say() { printf '%s\n' "$*" >&2; }

# Names of the packages in the sets asked for, one a line.
packages() {
  for set in $sets; do
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$root/tools/packages-$set.txt"
  done
}

missing_packages() {
  for package in $(packages); do
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) in
      ii*) ;;
      *) printf '%s ' "$package" ;;
    esac
  done
}

install_packages() {
  stamp=$build/.packages
  wanted=$(packages | cksum)
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
  missing=$(missing_packages)
  if [ -n "$missing" ]; then
    sudo=
    if [ "$(id -u)" != 0 ]; then
      command -v sudo >/dev/null || { say "These packages are missing and need root to install: $missing"; return 1; }
      sudo=sudo
    fi
    say "Installing: $missing"
    $sudo apt-get update -qq || say "The package lists could not be refreshed; trying with what is there."
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >"${TMPDIR:-/tmp}/penjing-apt.log" 2>&1 || {
      tail -5 "${TMPDIR:-/tmp}/penjing-apt.log" >&2
      say "apt-get could not install: $missing"
      return 1
    }
    installed=yes
  fi
  mkdir -p "$build" && printf '%s\n' "$wanted" >"$stamp"
}

# configure DIR [OPTION...]: meson setup, once, and again when there is something new to find.
configure() {
  dir=$1; shift
  # A hundred programs are linked: mold, where it is there, takes a tenth of what the compiler's usual linker takes.
  [ -z "${CC_LD-}" ] && ${CC:-cc} -fuse-ld=mold -Wl,--version >/dev/null 2>&1 && export CC_LD=mold
  if [ -f "$dir/build.ninja" ]; then
    [ -z "$installed" ] && return 0
    set -- "$@" --reconfigure
  fi
  meson setup "$dir" "$root" "$@" >"$dir.log" 2>&1 || { cat "$dir.log" >&2; return 1; }
  rm -f "$dir.log"
}

# compile DIR [TARGET...]: everything, or only these; quiet when there is nothing to do.
compile() {
  dir=$1; shift
  ninja -C "$dir" "$@" >"$dir/compile.log" 2>&1 || { tail -40 "$dir/compile.log" >&2; return 1; }
}
