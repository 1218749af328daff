#!/usr/bin/env python3
"""Measures whether the time of a refusal tells why a login was refused.

Logs in with something wrong, each thing as often as the others and at the same time as they, in a fresh order each time, and
compares the times from AUTH to the reply: the medians must lie within 2 %, and no thing may be told from a wrong password by the
Mann-Whitney test (p > 0.01, divided by the number of comparisons). Exit 1 if it can be told.

    cargo build --release -p gatepost && tests/bench/timing.py
"""

import argparse
import base64
import json
import math
import os
import pathlib
import random
import selectors
import shutil
import socket
import sqlite3
import ssl
import statistics
import sys
import tempfile
import time

from gatepost import Gatepost
from pki import Pki

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFUSED = b"535 5.7.8 Authentication credentials invalid\r\n"
PASSWORD = "an account password"
BASELINE = "wrong password"
WITHIN = 0.02
SIGNIFICANT = 0.01


def main():
    options = parse()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-timing-"))
    server = None
    try:
        pki = Pki(directory / "tls")
        server = Gatepost(directory / "gatepost", pki, options.gatepost)
        logins = make_logins(server)
        server.start()
        times = measure(server, pki, logins, options)
    finally:
        if server:
            server.stop()
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(0 if report(times) else 1)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    parser.add_argument("--gatepost", type=pathlib.Path, default=target / "gatepost", help="the binary to measure")
    parser.add_argument("--samples", type=int, default=400, help="logins for each thing that may be wrong [400]")
    parser.add_argument("--one-by-one", action="store_true", help="never two logins at once; takes eight times as long")
    options = parser.parse_args()
    options.gatepost = options.gatepost.resolve()
    return options


def make_logins(server):
    """What may be wrong, and the name and the password that have it. No account has two: the same wrong password counts as one
    failure however often it is tried, so none is ever throttled."""
    def account(name, password=PASSWORD):
        address = f"{name}@example.org"
        server._run("user", "add", address, *["--password-stdin", "--allow-weak"] * bool(password), text=password)
        return address

    def app_password(address, *more):
        created = server._run("app-password", "create", address, "--label", address, *more, "--json")
        return json.loads(created)["password"]

    def with_app_password(name, *more):
        address = account(name)
        return address, app_password(address, *more)

    logins = {
        BASELINE: (account("sound"), "not the password"),
        "unknown user": ("nobody@example.org", PASSWORD),
        "disabled account": (account("disabled"), PASSWORD),
        "account without a password": (account("bare", None), PASSWORD),
        "app password of another": (account("one"), app_password(account("another"))),
        "app password, expired": with_app_password("expired", "--expires", "1d"),
        "app password, wrong scope": with_app_password("scope"),
        "app password, wrong network": with_app_password("network", "--network", "192.0.2.0/24"),
    }
    server._run("user", "disable", "disabled@example.org")
    with sqlite3.connect(server.directory / "store" / "accounts.db") as database:
        database.execute("UPDATE app_passwords SET expires_at = created_at WHERE label = 'expired@example.org'")
        database.execute("UPDATE app_passwords SET scopes = '' WHERE label = 'scope@example.org'")
    return logins


def measure(server, pki, logins, options):
    """The seconds of each refusal. The first round is thrown away: it finds nothing in any cache."""
    times = {what: [] for what in logins}
    context = ssl.create_default_context(cafile=pki.ca)
    for number in range(options.samples + 1):
        order = random.sample(list(logins), len(logins))
        # All at once, what disturbs one disturbs all.
        for group in [[what] for what in order] if options.one_by_one else [order]:
            for what, seconds in at_once(group, server.ports["implicit"], context, logins).items():
                if number:
                    times[what].append(seconds)
        if sys.stderr.isatty():
            print(f"\r{number} of {options.samples} ", end="", file=sys.stderr)
    return times


def at_once(group, port, context, logins):
    """The seconds of a refusal for each thing of the group."""
    connections = {what: greeted(port, context) for what in group}
    waiting, begun, times = selectors.DefaultSelector(), {}, {}
    for what, connection in connections.items():
        user, password = logins[what]
        response = base64.b64encode(f"\0{user}\0{password}".encode())
        waiting.register(connection, selectors.EVENT_READ, what)
        begun[what] = time.perf_counter()
        connection.sendall(b"AUTH PLAIN " + response + b"\r\n")
    while len(times) < len(group):
        for key, _ in waiting.select():
            reply = key.fileobj.recv(512)
            times[key.data] = time.perf_counter() - begun[key.data]
            waiting.unregister(key.fileobj)
            if reply != REFUSED:
                raise RuntimeError(f"{key.data}: {reply!r}")
    for connection in connections.values():
        connection.close()
    return times


def greeted(port, context):
    """A connection past EHLO."""
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=30),
                                     server_hostname="localhost")
    connection.recv(512)
    connection.sendall(b"EHLO timing.example\r\n")
    while b"\r\n250 " not in connection.recv(2048):
        pass
    return connection


def report(times):
    """Prints the table; whether nothing can be told from a wrong password."""
    baseline = times[BASELINE]
    middle = statistics.median(baseline)
    least = SIGNIFICANT / (len(times) - 1)
    well = True
    print(f"{'what is wrong':28} {'median':>10} {'quartiles':>21} {'difference':>10} {'p':>8}")
    for what, seconds in times.items():
        low, median, high = statistics.quantiles(seconds, n=4)
        difference = median / middle - 1
        p = 1.0 if what == BASELINE else mann_whitney(seconds, baseline)
        well &= abs(difference) <= WITHIN and p > least
        print(f"{what:28} {median * 1000:7.2f} ms {low * 1000:9.2f} {high * 1000:8.2f} ms {difference:9.2%} {p:8.3f}")
    print("Nothing can be told." if well else "The time of a refusal tells its reason.")
    return well


def mann_whitney(ours, theirs):
    """The two-sided p of the Mann-Whitney U test, by its normal approximation: times hardly ever tie."""
    ranked = sorted([(value, 0) for value in ours] + [(value, 1) for value in theirs])
    ranks = sum(rank for rank, (_, whose) in enumerate(ranked, 1) if whose == 0)
    n, m = len(ours), len(theirs)
    u = ranks - n * (n + 1) / 2
    deviation = math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(u - n * m / 2) / deviation / math.sqrt(2))


if __name__ == "__main__":
    main()
