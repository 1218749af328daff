#!/usr/bin/env python3
"""Measures what pages cost that have much behind them: 10,000 accounts, 100,000 messages that wait, 1,000,000 in the ledger, 200,000 entries of
the audit trail.

An administrator asks for every page of `crates/console/routes.txt` that has no name of a thing in its path, for one account and one message, and for
lists with filters that find nothing, which go through all there is. Exit 1 if the median of one takes 100 ms.

    cargo build --release -p gatepost && tests/bench/pages.py
"""

import argparse
import http.client
import os
import pathlib
import re
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
import urllib.parse

from gatepost import PASSWORD, Gatepost
from pki import Pki
from queue import HOST, fill as fill_queue
from server import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
AT_MOST = 0.100
DAY = 24 * 3600 * 1000
WEB = """
[web]
base_url = "https://bench.example.org"
admin_needs_second_factor = false
page_rate = 100000
[[web.listen]]
address = "127.0.0.1:{port}"
tls = "off"
"""
ACCOUNTS = """INSERT INTO accounts (id, address, normal, name, admin, disabled, version, created_at)
    VALUES (?, ?, ?, 'One of many', 0, 0, 1, ?)"""
MESSAGES = """INSERT INTO messages (id, account, account_address, credential, session, ip, sender, message_id, size, accepted_at, recipients)
    VALUES (?, ?, ?, 'app-password:bench', 'session', '192.0.2.7', ?, ?, 1000, ?, 1)"""
RECIPIENTS = """INSERT INTO recipients (message, number, address, state, attempts, last_reply, last_host, done_at)
    VALUES (?, 0, ?, 'delivered', 1, '250 2.0.0 taken', 'mx.example.net', ?)"""
AUDIT = """INSERT INTO audit (first_at, at, count, action, result, reason, account, credential, mechanism, scope, ip, tls, session)
    VALUES (?1, ?1, 1, 'login', 'success', '', ?2, 'password', 'PLAIN', 'smtp', '192.0.2.7', '', '')"""
NOTHING = ("/admin/accounts?q=nobody", "/admin/accounts?unused=yes", "/admin/limits?which=reached", "/admin/limits?which=own",
           "/admin/audit?actor=nobody", "/admin/queue?sender=nobody@example.org", "/admin/queue?recipient_domain=example.com",
           "/admin/queue?account=nobody@example.org", "/admin/queue?state=held", "/admin/messages?recipient=nobody@example.com",
           "/admin/messages?account=nobody@example.org", "/admin/audit?account=nobody@example.org",
           "/account/messages?recipient=nobody@example.com")


def main():
    options = parse()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-pages-", dir=options.dir))
    port = free_port()
    try:
        gatepost = Gatepost(directory / "one", Pki(directory / "tls"), options.gatepost, via=HOST, more=WEB.format(port=port))
        # Makes the ledger.
        gatepost.start()
        os.kill(gatepost.pids()[0], 15)
        gatepost.process.wait()
        fill(directory / "one" / "store", gatepost.user, options)
        gatepost.start()
        try:
            browser = Browser(port, gatepost.user)
            results = measure(browser, pages(browser, gatepost.user), options.rounds)
        finally:
            gatepost.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(0 if report(results) else 1)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    parser.add_argument("--gatepost", type=pathlib.Path, default=target / "gatepost", help="the binary to measure")
    parser.add_argument("--accounts", type=int, default=10_000, help="accounts [10000]")
    parser.add_argument("--queued", type=int, default=100_000, help="messages that wait [100000]")
    parser.add_argument("--sent", type=int, default=1_000_000, help="messages in the ledger [1000000]")
    parser.add_argument("--audited", type=int, default=200_000, help="entries of the audit trail [200000]")
    parser.add_argument("--rounds", type=int, default=7, help="how often each page is asked for [7]")
    parser.add_argument("--dir", default="/var/tmp", help="where the store lies [/var/tmp]")
    options = parser.parse_args()
    options.gatepost = options.gatepost.resolve()
    return options


def fill(store, user, options):
    """Fills the databases of a server that is stopped."""
    fill_queue(store / "queue.db", options.queued, 0)
    now = int(time.time() * 1000)
    with sqlite3.connect(store / "accounts.db") as accounts:
        names = [f"user{number}@example.org" for number in range(options.accounts)]
        accounts.executemany(ACCOUNTS, ((os.urandom(16), name, name, now - DAY) for name in names))
        accounts.executemany(AUDIT, ((now - options.audited + number, names[number % len(names)]) for number in range(options.audited)))
        accounts.execute("UPDATE accounts SET admin = 1 WHERE address = ?", (user,))
        (account,) = accounts.execute("SELECT id FROM accounts WHERE address = ?", (user,)).fetchone()
    accounts.close()
    fill_ledger(store / "ledger.db", account, user, names, now, options.sent)


def fill_ledger(database, account, user, names, now, sent):
    """Each tenth message is the user's own."""
    ids = [(now - sent + number).to_bytes(6, "big") + os.urandom(10) for number in range(sent)]
    with sqlite3.connect(database) as ledger:
        ledger.executemany(MESSAGES, (
            (id, account if number % 10 == 0 else os.urandom(16), sender := user if number % 10 == 0 else names[number % len(names)],
             sender, f"<{number}@example.org>", now - sent + number) for number, id in enumerate(ids)))
        ledger.executemany(RECIPIENTS, ((id, f"friend{number % 5000}@example.net", now) for number, id in enumerate(ids)))
    ledger.close()


def pages(browser, user):
    """The paths that are asked for."""
    routes = (line.split() for line in (ROOT / "crates/console/routes.txt").read_text().splitlines())
    found = [route[1] for route in routes if route[0] == "GET" and route[-1] in ("SignedIn", "Admin") and "{" not in route[1]
             # A file to take along is as long as what is in it.
             and "." not in route[1]]
    lists = ("/admin/messages", "/admin/queue", "/account/messages")
    return [*found, f"/admin/accounts/{user}", *(first_link(browser, path) for path in lists), *NOTHING]


def first_link(browser, path):
    """The path of the first thing in the list of this path."""
    return re.search(r'href="(/(?:admin|account)/messages/\w+)"', browser.ask("GET", path).decode()).group(1)


class Browser:
    """Somebody who is signed in."""

    def __init__(self, port, user):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.cookies = {}
        form = self.ask("GET", "/sign-in").decode()
        (token,) = re.findall(r'name="csrf" value="([^"]+)"', form)
        self.ask("POST", "/sign-in", urllib.parse.urlencode({"csrf": token, "address": user, "password": PASSWORD}))

    def ask(self, method, path, body=None):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), "Sec-Fetch-Site": "same-origin",
                   "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        text = response.read()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        if response.status not in (200, 303):
            raise RuntimeError(f"{method} {path}: {response.status}")
        return text


def measure(browser, paths, rounds):
    """For each path the seconds that each answer took."""
    results = {path: [] for path in paths}
    for _ in range(rounds):
        for path in paths:
            begun = time.monotonic()
            browser.ask("GET", path)
            results[path].append(time.monotonic() - begun)
    return results


def report(results):
    """Prints the table; whether no page takes too long."""
    print("| page | median, ms | worst, ms |\n| --- | ---: | ---: |")
    for path, seconds in results.items():
        print(f"| {path} | {statistics.median(seconds) * 1000:.1f} | {max(seconds) * 1000:.1f} |")
    slow = [path for path, seconds in results.items() if statistics.median(seconds) >= AT_MOST]
    print(f"Too slow: {', '.join(slow)}." if slow else "No page takes 100 ms.")
    return not slow


if __name__ == "__main__":
    main()
