#!/usr/bin/env python3
"""Shows the author fields that leave Gatepost to the readers of tests/readers, for as many fields as wanted.

Sends generated fields in the name of two accounts, one with a single address and one with all of a domain, takes what is accepted
from a Maildir, and lets tests/readers/read.py judge it. Exit 1 if a reader shows somebody else as the author.

    tests/run                                             # once: it installs the readers
    cargo build --release -p gatepost && tests/bench/authors.py --count 10000 --seed 1
"""

import argparse
import base64
import json
import os
import pathlib
import shutil
import smtplib
import ssl
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from gatepost import Gatepost
from pki import Pki

ROOT = pathlib.Path(__file__).resolve().parents[2]
READERS = ROOT / "tests" / "readers"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
ONE, ALL = "me@gp.test", "all@gp.test"
OWN = {ONE: [ONE], ALL: ["*@gp.test"]}
# Refusals one behind the other close a connection.
PER_CONNECTION = 15
PATIENCE = 300


def main():
    options = parse()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-authors-"))
    server = None
    try:
        pki = Pki(directory / "tls")
        server = Gatepost(directory / "gatepost", pki, options.gatepost, via=f"maildir:{directory}/outbox")
        passwords = {ONE: server.add_account(ONE), ALL: server.add_account(ALL, "*@gp.test")}
        server.start()
        fields = generated(options)
        accepted = sent(server, pki, passwords, fields)
        print(f"{len(fields)} fields, seed {options.seed}; accepted: {accepted}", flush=True)
        arrived = until_there(directory / "outbox" / "new", sum(accepted.values()))
        sys.exit(judged(directory / "arrived", arrived, options))
    finally:
        if server:
            server.stop()
        shutil.rmtree(directory, ignore_errors=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gatepost", type=pathlib.Path, default=TARGET / "release" / "gatepost", help="the binary")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--made", type=pathlib.Path, default=TARGET / "readers", help="where node_modules is [target/readers]")
    parser.add_argument("--python", action="append", default=[], help="a Python to ask, as read.py has it")
    parser.add_argument("--most", type=int, default=50, help="print no more than so many fields")
    return parser.parse_args()


def generated(options):
    command = [READERS / "generate.py", "--seed", str(options.seed), "--count", str(options.count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line)["field"].encode("latin-1") for line in done.stdout.splitlines()]


def sent(server, pki, passwords, fields):
    """Sends every field in the name of both; how many were accepted of each."""
    context = ssl.create_default_context(cafile=pki.ca)
    groups = [(user, fields[at : at + PER_CONNECTION]) for user in passwords for at in range(0, len(fields), PER_CONNECTION)]

    def send(group):
        user, some = group
        with smtplib.SMTP_SSL("localhost", server.ports["implicit"], context=context) as client:
            client.login(user, passwords[user])
            return user, sum(accepted(client, user, field) for field in some)

    counts = dict.fromkeys(passwords, 0)
    with ThreadPoolExecutor(2) as pool:
        for user, number in pool.map(send, groups):
            counts[user] += number
    return counts


def accepted(client, user, field):
    client.mail(user)
    client.rcpt("you@example.net")
    code, text = client.data(b"From:" + field + b"\r\nTo: you@example.net\r\nSubject: s\r\n\r\nhello\r\n")
    if code != 250 and code // 100 != 5:
        raise RuntimeError(f"{code} {text} for {field}")
    return code == 250


def until_there(maildir, number):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        files = list(maildir.glob("*"))
        if len(files) >= number:
            return [file.read_bytes() for file in files]
        time.sleep(0.2)
    raise TimeoutError(f"of {number} messages {len(files)} have arrived within {PATIENCE} s")


def judged(file, arrived, options):
    with file.open("w") as lines:
        for message in arrived:
            user = message.partition(b"Return-Path: <")[2].partition(b">")[0].decode()
            # A Maildir has the line ends of Unix.
            octets = base64.b64encode(message.replace(b"\n", b"\r\n")).decode()
            lines.write(json.dumps({"message": octets, "own": OWN[user]}) + "\n")
    pythons = [argument for path in options.python for argument in ("--python", path)]
    command = [READERS / "read.py", "--made", options.made, "--most", str(options.most), *pythons, file]
    return subprocess.run(command).returncode


if __name__ == "__main__":
    main()
