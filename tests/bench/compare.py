#!/usr/bin/env python3
"""Measures Gatepost and Postfix with Dovecot SASL side by side, on this machine, in one run.

Needs root, to run Postfix, and on Debian installs postfix and dovecot-core if they are missing. Each server
gets its own configuration, queue and ports in a directory that is removed at the end; the system's own Postfix and
Dovecot, if there are any, are not touched. Every accepted message is put on hold on both sides: what is measured is
acceptance, from the first SYN to the 250 that promises that the message is on disk.

    cargo build --release -p gatepost -p load && tests/bench/compare.py
"""

import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile

import loads
import machine
import table
from gatepost import Gatepost
from pki import Pki
from postfix import Postfix

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    options = parse()
    os.chdir("/")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-bench-", dir=options.dir))
    directory.chmod(0o755)  # Postfix's processes must reach their queue.
    servers = []
    try:
        pki = Pki(directory / "tls")
        servers = set_up(options, directory, pki)
        facts = machine.facts(directory)
        results = loads.measure(options, servers, pki)
        report(options, facts, results)
    finally:
        for server in servers:
            server.stop()
        if options.keep:
            print(f"kept: {directory}", file=sys.stderr)
        else:
            shutil.rmtree(directory, ignore_errors=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    parser.add_argument("--gatepost", type=pathlib.Path, default=target / "gatepost", help="the binary to measure")
    parser.add_argument("--load", type=pathlib.Path, default=target / "load", help="the load generator")
    parser.add_argument("--only", choices=["gatepost", "postfix"], help="measure one of the two")
    parser.add_argument("--loads", nargs="*", choices=loads.NAMES, default=loads.NAMES, help="which loads [all]")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each load on each server; the median counts [5]")
    parser.add_argument("--seconds", type=int, default=6, help="length of a run [6]")
    parser.add_argument("--concurrency", type=int, default=64, help="connections at a time [64]")
    parser.add_argument("--idle", type=int, default=2000, help="idle connections [2000]")
    parser.add_argument("--tls", choices=["implicit", "starttls"], default="implicit", help="how TLS begins [implicit]")
    parser.add_argument("--key-exchange", choices=["x25519", "hybrid"], default="x25519",
                        help="what the client offers; OpenSSL 3.0 knows no hybrid, so x25519 is alike on both [x25519]")
    parser.add_argument("--dir", default="/var/tmp", help="where both queues lie [/var/tmp]")
    parser.add_argument("--keep", action="store_true", help="keep the directory with configurations and logs")
    parser.add_argument("--json", type=pathlib.Path, help="write every run to this file")
    parser.add_argument("--update-docs", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    options.gatepost, options.load = options.gatepost.resolve(), options.load.resolve()
    options.json = options.json and options.json.resolve()
    return options


def set_up(options, directory, pki):
    servers = []
    if options.only != "gatepost":
        servers.append(Postfix(directory / "postfix", pki))
    if options.only != "postfix":
        servers.append(Gatepost(directory / "gatepost", pki, options.gatepost))
    return servers


def report(options, facts, results):
    if options.json:
        options.json.write_text(json.dumps({"machine": facts, "results": results}, indent=1) + "\n")
    text = table.render(options, facts, results)
    print(text)
    if options.update_docs:
        table.update(ROOT / "docs" / "performance.md", text)


if __name__ == "__main__":
    main()
