#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test-packages.py BUILD

What a distribution gets: manual pages, file types, the Flatpak manifest, and a Debian package that is built,
installed into a root of its own, started there, and removed again.  Speaks TAP.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

BUILD = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
APP = "io.github.penjing.Penjing"


class Skip(Exception):
    pass


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(f"{tool} is not installed")


def check(condition, *what):
    if not condition:
        raise AssertionError(" ".join(map(str, what)))


def output(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **more)
    check(done.returncode == 0, command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


# --- manual pages, file types ---

def manual_pages():
    page = (BUILD / "data/penjing-cli.1").read_text()
    verbs = re.findall(r"^  (\S+)\s+\S", output(BUILD / "app/penjing-cli", "--help").partition("Verbs:\n")[2]
                       .partition("\n\n")[0], re.M)
    check(len(verbs) > 10, verbs)
    sections = dict(re.findall(r"^\.SS (\S+)\n(.*?)(?=^\.S[SH] )", page, re.M | re.S))
    for verb in verbs:
        check(verb in sections, "the page lacks the verb", verb)
        for option in re.findall(r"^  (?:-\w, )?(--[\w-]+)", output(BUILD / "app/penjing-cli", verb, "--help"), re.M):
            check(option == "--help" or option.replace("-", "\\-") in sections[verb], verb, "lacks", option)
    pages = [BUILD / "data/penjing-cli.1", BUILD / "data/penjing.1"]
    check("\\-\\-sample" in pages[1].read_text(), "penjing(1) lacks --sample")
    need("groff")
    for path in pages:
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", path], capture_output=True, text=True)
        check(not done.stderr and done.returncode == 0, done.stderr)


def file_types(folder):
    need("update-mime-database", "xmllint")
    packages = folder / "mime/packages"
    packages.mkdir(parents=True)
    shutil.copy(ROOT / f"resources/{APP}.mime.xml", packages / f"{APP}.xml")
    # The types of the system are there too, as on a desktop: ours must win over SQLite's.
    system = pathlib.Path("/usr/share/mime/packages/freedesktop.org.xml")
    if system.exists():
        shutil.copy(system, packages)
    output("update-mime-database", folder / "mime")
    guess = ("import sys; from gi.repository import Gio; "
             "print(Gio.content_type_guess(sys.argv[1], open(sys.argv[1], 'rb').read(4096))[0])")
    head = bytearray(100)
    head[0:16] = b"SQLite format 3\0"
    head[68:72] = (0x504a6e67).to_bytes(4, "big")
    for name, content, wanted in (("net.onnx", b"\x08\x07", "application/x-onnx"),
                                  ("work.penjing", bytes(head), "application/x-penjing"),
                                  ("anything", bytes(head), "application/x-penjing")):
        (folder / name).write_bytes(content)
        got = output("/usr/bin/python3", "-c", guess, folder / name,
                     env={**os.environ, "XDG_DATA_DIRS": str(folder), "XDG_DATA_HOME": str(folder)}).strip()
        check(got == wanted, name, "is taken for", got)
    desktop = (BUILD / f"resources/{APP}.desktop").read_text()
    check("application/x-onnx;application/x-penjing" in desktop, "the desktop file opens other types")


def flatpak_manifest():
    path = ROOT / f"flatpak/{APP}.json"
    manifest = json.loads(path.read_text())
    check(manifest["id"] == APP and manifest["command"] == "penjing", manifest["id"], manifest["command"])
    check(manifest["runtime"] == "org.gnome.Platform" and manifest["sdk"] == "org.gnome.Sdk", manifest["runtime"])
    # Files come through portals, and nothing leaves the machine.
    allowed = {"--share=ipc", "--socket=wayland", "--socket=fallback-x11", "--device=dri"}
    check(set(manifest["finish-args"]) <= allowed, manifest["finish-args"])
    check([m["name"] for m in manifest["modules"]][-1] == "penjing", "the program comes last")
    for module in manifest["modules"]:
        for source in module["sources"]:
            check(source["type"] == "dir" or "tag" in source or "sha256" in source, "not pinned:", source)
    need("flatpak-builder")
    done = subprocess.run(["flatpak-builder", "--show-manifest", path], capture_output=True, text=True)
    shown = json.loads(done.stdout)
    check(done.returncode == 0 and not done.stderr and shown["id"] == APP, done.stderr)
    # What flatpak-builder does not know it drops from what it shows.
    for key in manifest:
        check(key in shown or key == "id", "flatpak-builder does not know", key)


def icons():
    from xml.dom import minidom
    for path in sorted((ROOT / "resources/icons").rglob("*.svg")):
        svg = minidom.parse(str(path)).documentElement
        check(svg.tagName == "svg" and (svg.getAttribute("viewBox") or svg.getAttribute("width")), path)
        # Symbolic ones are recoloured by the theme: they bring no colours of their own that matter.
        if "symbolic" in path.name:
            check(not svg.getElementsByTagName("linearGradient"), path, "has a gradient")


# --- the Debian package ---

WANTED = ["usr/bin/penjing", "usr/bin/penjing-cli", f"usr/share/applications/{APP}.desktop",
          f"usr/share/metainfo/{APP}.metainfo.xml", f"usr/share/mime/packages/{APP}.xml",
          f"usr/share/icons/hicolor/scalable/apps/{APP}.svg", f"usr/share/icons/hicolor/symbolic/apps/{APP}-symbolic.svg",
          "usr/share/man/man1/penjing.1.gz", "usr/share/man/man1/penjing-cli.1.gz",
          "usr/share/locale/zh_CN/LC_MESSAGES/penjing.mo", "usr/share/doc/penjing/copyright"]


def debian_package(folder):
    need("dpkg-deb", "dpkg-shlibdeps", "meson")
    package = output(ROOT / "packaging/make-deb.sh", BUILD, folder).strip()
    check(re.fullmatch(r"penjing_[\d.]+_\w+\.deb", os.path.basename(package)), package)
    fields = output("dpkg-deb", "--field", package, "Depends", "Description")
    for library in ("libgtk-4-1", "libdnnl", "libsqlite3-0", "libvulkan1"):
        check(library in fields, "does not depend on", library, fields)
    # No library of the linker's that it does not name itself.
    check("openblas" not in fields, fields)

    root = folder / "root"
    for place in ("info", "updates", "triggers"):
        (root / "var/lib/dpkg" / place).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    before = listing(root)
    as_root = [] if os.geteuid() == 0 else ["fakeroot"]
    if as_root:
        need("fakeroot")
    dpkg = [*as_root, "dpkg", f"--root={root}", "--force-not-root", "--force-depends", "--log=/dev/null"]
    env = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"}
    output(*dpkg, "--install", package, env=env)
    for path in WANTED:
        check((root / path).exists(), "is not installed:", path)
    if (BUILD / "demo/version").exists():
        check((root / "usr/share/penjing/demo/ort.wasm.min.mjs").exists(), "what demos need is not installed")
    starts(root, folder)
    output(*dpkg, "--purge", "penjing", env=env)
    check(listing(root) == before, "left behind:", sorted(listing(root) - before))


def listing(root):
    return {str(p.relative_to(root)) for p in root.rglob("*") if not str(p.relative_to(root)).startswith("var/lib/dpkg")}


def starts(root, folder):
    env = {**os.environ, "HOME": str(folder), "XDG_DATA_DIRS": f"{root}/usr/share:/usr/share", "OMP_WAIT_POLICY": "passive"}
    env.pop("PENJING_DEMO_RUNTIME", None)
    check(json.loads(output(root / "usr/bin/penjing-cli", "devices", "--json", env=env))["devices"], "no device")
    check("29.13" in output(root / "usr/bin/penjing-cli", "info", "sample", env=env), "the sample is not there")
    if (BUILD / "demo/version").exists():
        output(root / "usr/bin/penjing-cli", "export", "sample", "--original", "sample", "--format", "demo", "--data",
               "sample?train=40&test=40", "--out", folder / "demo", env=env)
    headless = ROOT / "tests/ui/headless.sh"
    done = subprocess.run([headless, "/usr/bin/python3", pathlib.Path(__file__).with_name("start-studio.py"),
                           root / "usr/bin/penjing"], capture_output=True, text=True, env={**env, "TEST_LANGUAGE": "zh_CN"})
    if done.returncode == 77 or "SKIP" in done.stdout:
        raise Skip("no display can be had for the studio")
    check(done.returncode == 0, done.stdout, done.stderr[-2000:])


TESTS = [manual_pages, file_types, flatpak_manifest, icons, debian_package]
print(f"1..{len(TESTS)}")
failed = False
for number, test in enumerate(TESTS, 1):
    name = f"/packaging/{test.__name__.replace('_', '-')}"
    with tempfile.TemporaryDirectory(prefix="penjing-packaging-") as folder:
        try:
            test(*[pathlib.Path(folder)] if test.__code__.co_argcount else [])
            print(f"ok {number} {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} {name} # SKIP {reason}", flush=True)
        except Exception:
            failed = True
            for line in traceback.format_exc().splitlines():
                print("#", line)
            print(f"not ok {number} {name}", flush=True)
sys.exit(failed)
