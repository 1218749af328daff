#!/usr/bin/env python3
"""Measures whether a login costs more the more accounts and app passwords there are.

Runs three servers side by side, on stores that differ in size alone: one with hardly anything, one whose account has 10,000
app passwords, one with 1,000,000 accounts that have an app password each. Every login uses a credential that its server has not
seen since it last changed, so that no memory of it answers for the store. The servers take turns; compared are the medians of the
CPU that each spent from AUTH to 235, and of the time that took. Exit 1 if one is more than 1.3 times that of the small store.

    cargo build --release -p gatepost && tests/bench/scale.py
"""

import argparse
import base64
import json
import os
import pathlib
import random
import shutil
import sqlite3
import ssl
import statistics
import sys
import tempfile
import time

from gatepost import Gatepost
from pki import Pki
from timing import greeted

ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSWORD = "an account password"
AT_MOST = 1.3
KINDS = ("app password", "account password")

NUMBERS = "WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < ?)"
APP_PASSWORD = "INSERT INTO app_passwords (id, account, digest, label, scopes, networks, created_at)"


def main():
    options = parse()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-scale-", dir=options.dir))
    servers = []
    try:
        servers = set_up(directory, options)
        for server in servers:
            server.start()
        well = report(measure(servers, options.logins))
    finally:
        for server in servers:
            server.end()
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(0 if well else 1)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    parser.add_argument("--gatepost", type=pathlib.Path, default=target / "gatepost", help="the binary to measure")
    parser.add_argument("--accounts", type=int, default=1_000_000, help="accounts of the one large store [1000000]")
    parser.add_argument("--app-passwords", type=int, default=10_000, help="app passwords of the other [10000]")
    parser.add_argument("--logins", type=int, default=300, help="logins of each kind at each server [300]")
    parser.add_argument("--dir", default="/var/tmp", help="where the stores lie [/var/tmp]; the largest takes about 1 GB")
    options = parser.parse_args()
    options.gatepost = options.gatepost.resolve()
    return options


def set_up(directory, options):
    """The three servers. All have the same app passwords to log in with: they are made once, by commands."""
    pki = Pki(directory / "tls")
    small = Server("a small store", directory / "small", pki, options.gatepost)
    small.make_app_passwords(options.logins)
    many = Server(f"{options.app_passwords:,} app passwords", directory / "many", pki, options.gatepost, small)
    many.add_app_passwords(options.app_passwords - options.logins)
    large = Server(f"{options.accounts:,} accounts", directory / "large", pki, options.gatepost, small)
    large.add_accounts(options.accounts)
    return [small, many, large]


class Server:
    def __init__(self, name, directory, pki, binary, like=None):
        """A server with Alice's account alone, or with all that is in the store of another."""
        self.name, self.context = name, ssl.create_default_context(cafile=pki.ca)
        self.gatepost = Gatepost(directory, pki, binary)
        self.app_passwords = []
        if like:
            self.app_passwords = like.app_passwords
            shutil.copy(like.gatepost.directory / "master.key", directory)
            shutil.rmtree(directory / "store")
            shutil.copytree(like.gatepost.directory / "store", directory / "store")
        # Whom the app passwords belong to, in turn.
        self.users = [self.gatepost.user]

    def make_app_passwords(self, count):
        for number in range(count):
            created = self.gatepost._run("app-password", "create", self.gatepost.user, "--label", f"{number}", "--json")
            self.app_passwords.append(json.loads(created)["password"])

    def add_app_passwords(self, count):
        """Of the same account."""
        with Filling(self.file()) as database:
            database.execute(f"{NUMBERS} {APP_PASSWORD} SELECT randomblob(16), id, randomblob(32), '', 'smtp', '', n "
                             "FROM accounts, n", (count,))

    def add_accounts(self, count):
        """Each with Alice's password, an app password, and a network it has logged in from. Those that log in are of them."""
        self.users = [f"user{number}@example.org" for number in random.sample(range(1, count + 1), len(self.app_passwords))]
        with Filling(self.file()) as database:
            database.execute(
                f"{NUMBERS} INSERT INTO accounts SELECT randomblob(16), 'user' || n || '@example.org', "
                "'user' || n || '@example.org', NULL, 0, 0, password_hash, 1, 0, NULL FROM accounts, n", (count,))
            owners = ((user, f"{number}") for number, user in enumerate(self.users))
            database.executemany(
                "UPDATE app_passwords SET account = (SELECT id FROM accounts WHERE normal = ?) WHERE label = ?", owners)
            database.execute(f"{APP_PASSWORD} SELECT randomblob(16), id, randomblob(32), '', 'smtp', '', 0 FROM accounts")
            database.execute("INSERT INTO familiar_networks SELECT id, '127.0.0.1/32', unixepoch() * 1000 FROM accounts")

    def file(self):
        return self.gatepost.directory / "store" / "accounts.db"

    def start(self):
        self.gatepost.start()
        self.cpu_clock = (~self.gatepost.pids()[0] << 3) | 2  # clock_getcpuclockid(3)

    def end(self):
        self.gatepost.stop()

    def log_in(self, kind, number):
        """CPU and time of a login, in seconds."""
        user = self.users[number % len(self.users)]
        password = self.app_passwords[number]
        if kind == "account password":
            password = PASSWORD
            self.change(user)
        response = base64.b64encode(f"\0{user}\0{password}".encode())
        with greeted(self.gatepost.ports["implicit"], self.context) as connection:
            cpu, begun = time.clock_gettime(self.cpu_clock), time.perf_counter()
            connection.sendall(b"AUTH PLAIN " + response + b"\r\n")
            reply = connection.recv(512)
            spent = time.clock_gettime(self.cpu_clock) - cpu, time.perf_counter() - begun
        if not reply.startswith(b"235"):
            raise RuntimeError(f"{self.name}, {kind} {number} of {user}: {reply!r}")
        return spent

    def change(self, user):
        """As if the password had been set anew: what the server remembers of it counts no longer."""
        with sqlite3.connect(self.file(), timeout=30) as database:
            database.execute("UPDATE accounts SET version = version + 1 WHERE normal = ?", (user,))


class Filling(sqlite3.Connection):
    """A connection that writes fast and unsafely, to a store that no server has open."""

    def __init__(self, file):
        super().__init__(file)
        self.execute("PRAGMA journal_mode = OFF")
        self.execute("PRAGMA synchronous = OFF")
        self.execute("PRAGMA cache_size = -1000000")

    def __exit__(self, *problem):
        super().__exit__(*problem)
        self.close()


def measure(servers, logins):
    """CPU and time of every login, by kind and server. The servers take turns, in a fresh order each time."""
    spent = {kind: {server.name: [] for server in servers} for kind in KINDS}
    for number in range(logins):
        for kind in KINDS:
            for server in random.sample(servers, len(servers)):
                spent[kind][server.name].append(server.log_in(kind, number))
        if sys.stderr.isatty():
            print(f"\r{number + 1} of {logins} ", end="", file=sys.stderr)
    return spent


def report(spent):
    """Prints the table; whether nothing costs too much."""
    well = True
    print("| login by | in | CPU, median ms | : small | time, median ms | : small |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for kind, servers in spent.items():
        medians = {name: [statistics.median(column) * 1000 for column in zip(*logins)] for name, logins in servers.items()}
        small = next(iter(medians.values()))
        for name, (cpu, elapsed) in medians.items():
            ratios = cpu / small[0], elapsed / small[1]
            well &= max(ratios) <= AT_MOST
            print(f"| {kind} | {name} | {cpu:.3f} | {ratios[0]:.2f} | {elapsed:.3f} | {ratios[1]:.2f} |")
    print("A login costs the same." if well else f"A login costs more than {AT_MOST} times as much.")
    return well


if __name__ == "__main__":
    main()
