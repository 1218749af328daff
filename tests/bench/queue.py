#!/usr/bin/env python3
"""Measures what a long queue costs: the start of the server, a page of the list, the memory, and the first copy of a new message.

Fills the queue of a stopped server with messages that wait for a host which is not there, and with older ones that are settled, then starts it
and uses it. Exit 1 if the start takes a second, a page of the list 50 ms more than with an empty queue, or the memory grows with the queue. What
a page takes with each filter is told beside: those that find nothing go through all that waits.

    cargo build --release -p gatepost && tests/bench/queue.py
"""

import argparse
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

from gatepost import Gatepost
from pki import Pki

ROOT = pathlib.Path(__file__).resolve().parents[2]
AT_MOST_START, AT_MOST_PAGE, AT_MOST_MEMORY = 1.0, 0.050, 16 * 1024
# Nobody listens there.
HOST = "smtp://127.0.0.1:1"

ENTRIES = """INSERT INTO entries (id, account, account_address, reverse_path, eight_bit, smtputf8, accepted_at, size,
    recipients, held, content_crc, envelope_crc, in_file)
    VALUES (?, zeroblob(16), 'alice@example.org', '<alice@example.org>', 0, 0, ?, 1000, 1, 0, 0, 0, 0)"""
RECIPIENTS = """INSERT INTO recipients (entry, number, forward_path, destination, state, attempts, next_attempt_at, last_reply)
    SELECT id, 0, '<bob@example.net>', ?, 'deferred', 3, (strftime('%s') + 3600) * 1000, '451 4.4.1 no connection' FROM entries"""
DELIVERIES = """INSERT INTO deliveries (entry, destination, due_at, lease_token)
    SELECT entry, destination, next_attempt_at, 3 FROM recipients WHERE next_attempt_at IS NOT NULL"""
SETTLED = """UPDATE entries SET settled_at = accepted_at WHERE number <= ?;
    UPDATE recipients SET state = 'failed', told = true, next_attempt_at = NULL
    WHERE entry IN (SELECT id FROM entries WHERE settled_at IS NOT NULL)"""
FILTERS = (
    ("queue", "list"), ("queue", "list", "--state", "deferred"), ("queue", "list", "--account", "alice@example.org"),
    ("queue", "list", "--older-than", "1s"), ("queue", "list", "--recipient-domain", "example.net"),
    ("queue", "list", "--state", "held"), ("queue", "list", "--account", "bob@example.org"),
    ("queue", "list", "--sender", "bob@example.org"), ("queue", "list", "--credential", "password"),
    ("queue", "list", "--recipient-domain", "example.com"), ("queue", "list", "--reply-contains", "greylisted"),
    ("queue", "stats"),
)


def main():
    options = parse()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-queue-", dir=options.dir))
    try:
        pki = Pki(directory / "tls")
        results = [measure(directory / name, pki, options.gatepost, *queued)
                   for name, queued in (("empty", (1, 0)), ("long", (options.messages, options.settled)))]
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(0 if report(results) else 1)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    parser.add_argument("--gatepost", type=pathlib.Path, default=target / "gatepost", help="the binary to measure")
    parser.add_argument("--messages", type=int, default=100_000, help="messages in the queue [100000]")
    parser.add_argument("--settled", type=int, default=300_000, help="older messages that are settled [300000]")
    parser.add_argument("--dir", default="/var/tmp", help="where the stores lie [/var/tmp]")
    options = parser.parse_args()
    options.gatepost = options.gatepost.resolve()
    return options


def measure(directory, pki, binary, queued, settled):
    gatepost = Gatepost(directory, pki, binary, via=HOST)
    fill(directory / "store" / "queue.db", queued, settled)
    try:
        started = gatepost.start()
        # Some looks at the queue.
        time.sleep(5)
        pages = {command: min(first_row(gatepost, command) for _ in range(5)) for command in FILTERS}
        memory = peak(gatepost.pids()[0])
    finally:
        gatepost.stop()
    return queued, started, pages, memory


def fill(database, queued, settled):
    with sqlite3.connect(database) as connection:
        # Identifiers sort by the time of their making.
        times = (1_790_000_000_000 + number for number in range(settled + queued))
        connection.executemany(ENTRIES, ((at.to_bytes(6, "big") + os.urandom(10), at) for at in times))
        connection.execute(RECIPIENTS, (HOST,))
        for statement in SETTLED.split(";"):
            connection.execute(statement, (settled,) * statement.count("?"))
        connection.execute(DELIVERIES)
    connection.close()


def first_row(gatepost, command):
    """The seconds from the exec of a command until the first page is there."""
    command = [gatepost.binary, "--config", gatepost.directory / "gatepost.toml", *command, "--json"]
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as listing:
        listing.stdout.read(1000)
        listing.stdout.readline()
        took = time.monotonic() - begun
        listing.kill()
    return took


def peak(pid):
    """The most memory that the process has had, in KiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def report(results):
    """Prints the table; whether nothing costs too much."""
    print("| queued | start, s | first page of the list, ms | memory, MiB |")
    print("| ---: | ---: | ---: | ---: |")
    for queued, started, pages, memory in results:
        print(f"| {queued:,} | {started:.3f} | {pages[FILTERS[0]] * 1000:.1f} | {memory / 1024:.1f} |")
    (_, _, empty_pages, empty_memory), (_, started, pages, memory) = results
    print("\n| command | ms with an empty queue | ms with a long one |\n| --- | ---: | ---: |")
    for command in FILTERS:
        print(f"| {' '.join(command)} | {empty_pages[command] * 1000:.1f} | {pages[command] * 1000:.1f} |")
    empty_page, page = empty_pages[FILTERS[0]], pages[FILTERS[0]]
    well = started < AT_MOST_START and page - empty_page < AT_MOST_PAGE and memory - empty_memory < AT_MOST_MEMORY
    print("A long queue costs nothing that is felt." if well else "A long queue costs too much.")
    return well


if __name__ == "__main__":
    main()
