#!/usr/bin/env python3
"""Measures two builds of Gatepost in turns, in one run: what was fast has to stay so.

    git worktree add /tmp/before COMMIT && cargo build --release --manifest-path /tmp/before/Cargo.toml --target-dir /tmp/before/target
    cargo build --release -p gatepost -p load && tests/bench/versions.py --old /tmp/before/target/release/gatepost

For each load the rates of both and their ratio, pair by pair: its median, and its least and greatest. Below 1 the new one is slower.
Beside it the ratio of the server's processor time for a message, of which above 1 is slower: on a machine that does other things, too,
it is the steadier one.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import tempfile

import loads
from gatepost import Gatepost
from pki import Pki

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What of a report says how fast it was.
RATES = ("messages_per_second", "connections_per_second")
TIMES = ("server_cpu_ms_per_message", "server_cpu_ms_per_login")


class Build(Gatepost):
    """One of the two."""

    def __init__(self, name, directory, pki, binary, **delivery):
        self.name = name
        super().__init__(directory, pki, binary, **delivery)


def main():
    options = completed(parse())
    os.chdir("/")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-versions-", dir=options.dir))
    builds = []
    try:
        pki = Pki(directory / "tls")
        for name in ("old", "new"):
            builds.append(Build(name, directory / name, pki, getattr(options, name)))
        results = loads.measure(options, builds, pki)
    finally:
        for build in builds:
            build.stop()
        shutil.rmtree(directory, ignore_errors=True)
    for name in options.loads:
        print(line(name, results[name]["old"], results[name]["new"]))


def line(name, old, new):
    rates = [[first(report, RATES) for report in reports] for reports in (old, new)]
    times = [[first(report, TIMES) for report in reports] for reports in (old, new)]
    medians = [statistics.median(each) for each in rates]
    return (f"{loads.SENDING[name][0]:34} old {medians[0]:8.1f}/s  new {medians[1]:8.1f}/s  ratio {ratio(*rates)}"
            f"  processor time {ratio(*times)}")


def first(report, keys):
    return next(report[key] for key in keys if report.get(key))


def ratio(old, new):
    ratios = [after / before for before, after in zip(old, new)]
    return f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"


def parse():
    parser = two_builds(__doc__)
    parser.add_argument("--loads", nargs="*", choices=loads.SENDING, default=list(loads.SENDING), help="which loads [all]")
    parser.add_argument("--seconds", type=int, default=4, help="length of a run [4]")
    return parser.parse_args()


def two_builds(description):
    """Options of whatever measures two builds in turns."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    parser.add_argument("--old", type=pathlib.Path, required=True, help="the build to compare with")
    parser.add_argument("--new", type=pathlib.Path, default=target / "gatepost", help="the build to measure")
    parser.add_argument("--load", type=pathlib.Path, default=target / "load", help="the load generator")
    parser.add_argument("--rounds", type=int, default=9, help="runs of each load on each build [9]")
    parser.add_argument("--concurrency", type=int, default=64, help="connections at a time [64]")
    parser.add_argument("--dir", default="/var/tmp", help="where both queues lie [/var/tmp]")
    return parser


def completed(options):
    options.old, options.new, options.load = options.old.resolve(), options.new.resolve(), options.load.resolve()
    options.tls, options.key_exchange = "implicit", "x25519"
    return options


if __name__ == "__main__":
    main()
