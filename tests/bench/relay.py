#!/usr/bin/env python3
"""Measures two builds in turns as they accept messages and hand them to one next host: the rate from the first connection until the
queue is empty. Beside it the ratio of the server's processor time, of which above 1 is slower.

The next host is smtp-sink of Debian's `postfix`, which counts nothing and keeps nothing. It shares the cores with the server and the
load generator.

    cargo build --release -p gatepost -p load && tests/bench/relay.py --old /tmp/before/target/release/gatepost
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import loads
import versions
from pki import Pki
from server import end, free_port, processor_time, wait_for_greeting

# Each looks at the queue: often enough to see its end, seldom enough to leave the cores to what is measured.
PAUSE = 0.05


def main():
    parser = versions.two_builds(__doc__)
    parser.add_argument("--sink", default=shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin"), help="smtp-sink")
    parser.add_argument("--messages", type=int, default=20_000, help="messages of a run [20000]")
    options = versions.completed(parser.parse_args())
    if not options.sink:
        parser.error("smtp-sink is needed: install Debian's postfix, or say where it is with --sink")
    os.chdir("/")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-relay-", dir=options.dir))
    port = free_port()
    # As root it wants to know whom to become.
    user = [] if os.geteuid() else ["-u", "nobody"]
    sink = subprocess.Popen([options.sink, *user, f"127.0.0.1:{port}", "1000"])
    builds = []
    try:
        wait_for_greeting(port, None)
        pki = Pki(directory / "tls")
        for name in ("old", "new"):
            via = {"via": f"smtp://127.0.0.1:{port}", "delivery": 'tls = "off"'}
            builds.append(versions.Build(name, directory / name, pki, getattr(options, name), **via))
        rates, times = measure(options, builds, pki)
    finally:
        for build in builds:
            build.stop()
        end(sink.pid)
        shutil.rmtree(directory, ignore_errors=True)
    print(f"accepted and handed on: ratio {versions.ratio(rates['old'], rates['new'])}"
          f"  processor time {versions.ratio(times['old'], times['new'])}")


def measure(options, builds, pki):
    """Messages a second of each build, run by run, and the processor time that its server has taken for each message, in ms."""
    rates, times = ({build.name: [] for build in builds} for _ in range(2))
    for number in range(options.rounds):
        # Each round begins with the other build.
        for build in builds if number % 2 == 0 else builds[::-1]:
            build.start()
            begun = time.monotonic()
            loads.send(options, "hundred", build, pki, ["--messages", str(options.messages)])
            accepted = time.monotonic()
            while build.queued():
                time.sleep(PAUSE)
            ended = time.monotonic()
            times[build.name].append(sum(map(processor_time, build.pids())) * 1000 / options.messages)
            build.stop()
            rates[build.name].append(options.messages / (ended - begun))
            print(f"{number + 1}/{options.rounds} {build.name}: accepted {options.messages / (accepted - begun):.0f}/s, "
                  f"and handed on {rates[build.name][-1]:.0f}/s, {times[build.name][-1]:.3f} ms each", file=sys.stderr)
    return rates, times


if __name__ == "__main__":
    main()
