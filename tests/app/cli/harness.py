# SPDX-License-Identifier: MIT
"""What the tests of penjing-cli share: running it, TAP, and small files."""
import json
import os
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import traceback

CLI = os.path.abspath(sys.argv[1])
# Slow builds (sanitizers) and busy machines: a run that takes longer hangs.
TIMEOUT = 240
DATA = "sample?train=320&test=100"


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"status {self.status}\nstdout: {self.out}\nstderr: {self.err}"


def environment(**changes):
    # Several tests run at once: threads that spin while they wait would take the others' time.
    env = dict(os.environ, LANG="C.UTF-8", OMP_WAIT_POLICY="passive", XDG_DATA_HOME=os.path.join(os.getcwd(), "data-home"))
    env.update(changes)
    return env


def run(*args, env=None, limit_file_bytes=None, cwd=None):
    """Runs penjing-cli and never lets it wait for input."""
    def limit():
        import resource
        import signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_file_bytes, limit_file_bytes))
    done = subprocess.run([CLI, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, cwd=cwd,
                          env=env or environment(), preexec_fn=limit if limit_file_bytes else None)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def start(*args):
    return subprocess.Popen([CLI, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=environment())


def check(condition, *what):
    if not condition:
        raise AssertionError(" ".join(map(str, what)))


def ok(result):
    check(result.status == 0, "expected status 0:", result)
    return result


def refused(result, *words, status=1):
    """One clear sentence on stderr with these words, the right status, and no result on stdout."""
    check(result.status == status, f"expected status {status}:", result)
    lines = [line for line in result.err.splitlines() if line.startswith("penjing-cli: ")]
    check(len(lines) == 1, "expected one line of reason:", result)
    for word in words:
        check(word in lines[0], f"expected “{word}” in:", lines[0])
    check(result.out == "", "expected no result:", result)
    return result


def write_idx(folder, name, shape, body, magic=None):
    """An IDX file of bytes."""
    head = struct.pack(">I", magic if magic is not None else 0x0800 | len(shape))
    pathlib.Path(folder, name).write_bytes(head + b"".join(struct.pack(">I", n) for n in shape) + body)


def make_idx_set(folder, n_train=40, n_test=20, n_classes=10, size=28):
    os.makedirs(folder, exist_ok=True)
    for part, n in (("train", n_train), ("t10k", n_test)):
        pixels = bytes((i * 7 + i // 31) % 256 for i in range(n * size * size))
        write_idx(folder, f"{part}-images-idx3-ubyte", (n, size, size), pixels)
        write_idx(folder, f"{part}-labels-idx1-ubyte", (n,), bytes(i % n_classes for i in range(n)))
    return folder


def make_model(path="net.onnx", steps=3, *more):
    """A network that has seen a few pictures."""
    ok(run("train", "vgg-mini", "--data", DATA, "--steps", steps, "--batch", "32", "--session", "none", "--out", path, *more))
    return path


def weights(path):
    return ok(run("info", path, "--json")).json["notes"]["penjing.weights-sha256"]


def query(path, sql):
    try:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()
    except sqlite3.Error:
        return []


def wait_for(path, sql, process):
    """Until @sql finds something in the session; the process must still be running then."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        found = os.path.exists(path) and query(path, sql)
        if process.poll() is not None:
            raise AssertionError("it ended before it could be stopped: " + process.communicate()[1].decode())
        if found:
            return
        time.sleep(0.02)
    process.kill()
    raise AssertionError("nothing came")


def stop(process, number):
    process.send_signal(number)
    out, err = process.communicate(timeout=TIMEOUT)
    return process.returncode, out.decode(), err.decode()


def main(tests):
    """Runs the functions in a folder of their own and speaks TAP."""
    print(f"1..{len(tests)}")
    here = os.getcwd()
    folder = tempfile.mkdtemp(prefix="penjing-cli-")
    failed = 0
    try:
        os.chdir(folder)
        for number, test in enumerate(tests, 1):
            name = "/cli/" + test.__name__.replace("_", "-")
            try:
                test()
                print(f"ok {number} {name}", flush=True)
            except Exception:
                failed += 1
                for line in traceback.format_exc().splitlines():
                    print("#", line)
                print(f"not ok {number} {name}", flush=True)
    finally:
        os.chdir(here)
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)
