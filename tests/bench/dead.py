#!/usr/bin/env python3
"""Measures what one dead destination with a long queue costs a live one, and how much memory it takes.

Two servers have the same next hosts and run side by side. The queue of one is filled with messages for a host that does not answer (it is
silent, it refuses connections, or it is a silent mail host that the DNS names); then each gets, in turns, one message after another for the
live host. Exit 1 if with the long queue a message takes more than twice as long to arrive, in the median or at the 99th percentile, or if
the server takes more memory than its caches explain. Hosts that the DNS names are at port 25, for which it takes root.

    cargo build --release -p gatepost -p load && tests/bench/dead.py
"""

import argparse
import os
import pathlib
import shutil
import smtplib
import ssl
import statistics
import sys
import tempfile
import time

import loads
from gatepost import Gatepost
from next_hosts import Live, Names, Refusing, Silent
from pki import Pki

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The memory in KiB: caches fill up with the first hundred thousand messages, wherever they go, and then stay.
AT_MOST_RATIO, AT_MOST_MEMORY = 2.0, 128 * 1024
LIVE, DEAD = "127.25.0.1", "127.25.0.2"
# Some retries of all that waits come to pass while it is measured.
SCHEDULE = 'retry = {{ first = "{retry}s", max = "{retry}s" }}\n'
ROUTE = '[[delivery.route]]\ndomains = ["dead.example"]\nvia = "smtp://127.0.0.1:{port}"\ntls = "off"\n'
BY_MX = '[delivery.mx]\nallow_networks = ["127.25.0.0/16"]\nmta_sts = false\n[dns]\nservers = ["127.0.0.1:{port}"]\n'


class Fixed:
    """Hosts that the configuration names."""

    def __init__(self, dead):
        self.live, self.dead = Live(), dead()
        self.via = f"smtp://127.0.0.1:{self.live.port}"
        self.delivery = 'tls = "off"\n{schedule}' + ROUTE.format(port=self.dead.port)


class ByMx:
    """Hosts that the DNS names."""

    via = "mx"

    def __init__(self):
        self.live, self.dead = Live((LIVE, 25)), Silent((DEAD, 25))
        self.names = Names({"live.example": LIVE, "dead.example": DEAD})
        self.delivery = "{schedule}" + BY_MX.format(port=self.names.port)


WAYS = {"silent": lambda: Fixed(Silent), "refusing": lambda: Fixed(Refusing), "mx": ByMx}


def main():
    options = parse()
    os.chdir("/")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-dead-", dir=options.dir))
    try:
        pki = Pki(directory / "tls")
        results = {name: measure(options, directory / name, pki, WAYS[name]()) for name in options.ways}
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(0 if report(options, results) else 1)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    parser.add_argument("--gatepost", type=pathlib.Path, default=target / "gatepost", help="the binary to measure")
    parser.add_argument("--load", type=pathlib.Path, default=target / "load", help="the load generator")
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS), help="how the host is dead [all]")
    parser.add_argument("--messages", type=int, nargs="*", default=[10_000, 50_000, 100_000], help="messages in the queue [10000 50000 100000]")
    parser.add_argument("--live", type=int, default=500, help="messages to the live host on each server [500]")
    parser.add_argument("--retry", type=int, default=30, help="seconds to the next attempt [30]")
    parser.add_argument("--concurrency", type=int, default=32, help="connections at a time that fill the queue [32]")
    parser.add_argument("--dir", default="/var/tmp", help="where the stores lie [/var/tmp]")
    options = parser.parse_args()
    options.gatepost, options.load = options.gatepost.resolve(), options.load.resolve()
    options.tls, options.key_exchange = "implicit", "x25519"
    return options


def measure(options, directory, pki, hosts):
    """The memory by the length of the queue, and the seconds that messages took with an empty queue and with a full one."""
    directory.mkdir()
    delivery = hosts.delivery.format(schedule=SCHEDULE.format(retry=options.retry))
    servers = [Gatepost(directory / name, pki, options.gatepost, via=hosts.via, delivery=delivery) for name in ("empty", "full")]
    try:
        for server in servers:
            server.start()
        memory = fill(options, servers[1], pki)
        times = in_turns(options, servers, pki, hosts.live)
        memory["after"] = resident(servers[1])
    finally:
        for server in servers:
            server.stop()
    return memory, times, len(getattr(hosts.dead, "connections", []))


def fill(options, server, pki):
    memory, queued = {0: resident(server)}, 0
    for messages in options.messages:
        loads.send(options, "hundred", server, pki, ["--to", "bob@dead.example", "--messages", str(messages - queued)])
        memory[messages], queued = resident(server), messages
        print(f"{messages} in the queue: {memory[messages]} KiB", file=sys.stderr)
    return memory


def resident(server):
    """The memory of the process in KiB, without pages of files."""
    status = pathlib.Path(f"/proc/{server.pids()[0]}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0])


def in_turns(options, servers, pki, live):
    """How long each message took, from its MAIL on, until the live host had it, server by server."""
    clients, times = [connected(server, pki) for server in servers], [[], []]
    for number in range(options.live):
        for which in (0, 1) if number % 2 else (1, 0):
            times[which].append(send(clients[which], live, f"{which}-{number}"))
    return times


def connected(server, pki):
    client = smtplib.SMTP_SSL("localhost", server.ports["implicit"], context=ssl.create_default_context(cafile=pki.ca))
    client.login(server.user, server.password)
    return client


def send(client, live, subject):
    text = f"From: {Gatepost.user}\r\nTo: <carol@live.example>\r\nSubject: {subject}\r\n\r\nhello\r\n"
    begun = time.monotonic()
    client.sendmail(Gatepost.user, ["carol@live.example"], text)
    return live.wait_for(subject) - begun


def report(options, results):
    """Prints the tables; whether nothing costs too much."""
    counts = [0, *options.messages, "after"]
    print("| the host is | " + " | ".join(f"MiB with {count}" for count in counts) + " | connections to it |")
    print("| --- |" + " ---: |" * (len(counts) + 1))
    for name, (memory, _, connections) in results.items():
        print(f"| {name} | " + " | ".join(f"{memory[count] / 1024:.1f}" for count in counts) + f" | {connections} |")
    print("\n| the host is | empty queue, p50 ms | full queue | ratio | empty queue, p99 ms | full queue | ratio |")
    print("| --- |" + " ---: |" * 6)
    well = True
    for name, (memory, times, _) in results.items():
        figures = []
        for part in (50, 99):
            empty, full = (statistics.quantiles(of_one, n=100)[part - 1] * 1000 for of_one in times)
            figures += [f"{empty:.2f}", f"{full:.2f}", f"{full / empty:.2f}"]
            well &= full / empty <= AT_MOST_RATIO
        well &= memory["after"] < AT_MOST_MEMORY
        print(f"| {name} | " + " | ".join(figures) + " |")
    print("A dead destination costs a live one nothing that is felt." if well else "A dead destination costs a live one too much.")
    return well


if __name__ == "__main__":
    main()
