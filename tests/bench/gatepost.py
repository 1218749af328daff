"""Gatepost: the release binary with its defaults, but for the limits that the loads would meet."""

import json
import shutil
import sqlite3
import subprocess
import time

from server import end, free_port, wait_for_greeting

PASSWORD = "three quiet herons over Norrland"

CONFIGURATION = """
hostname = "bench.example.org"

[storage]
url = "sqlite:{dir}/store"
master_key_file = "{dir}/master.key"

[tls]
certificate = "{certificate}"
private_key = "{key}"

[[listen]]
address = "127.0.0.1:{implicit}"
tls = "implicit"
[[listen]]
address = "127.0.0.1:{starttls}"
tls = "starttls"

[auth]
app_passwords_per_account = 100000

[limits]
connections_per_network = 10000

[sending]
messages_per_hour = false
messages_per_day = false
recipients_per_hour = false
recipients_per_day = false
new_recipients_per_day = false

[delivery]
via = "{via}"
{delivery}
{more}
"""


class Gatepost:
    name = "Gatepost"
    user = "alice@example.org"

    def __init__(self, directory, pki, binary, via="hold", delivery="", more=""):
        self.directory, self.binary = directory, binary
        self.ca = pki.ca
        self.ports = {"implicit": free_port(), "starttls": free_port()}
        self.process = None
        directory.mkdir(mode=0o700)
        values = {"dir": directory, "certificate": pki.certificate, "key": pki.key, "via": via, "delivery": delivery, "more": more,
                  **self.ports}
        (directory / "gatepost.toml").write_text(CONFIGURATION.format(**values))
        self.password = self._make_account()

    def _make_account(self):
        """Makes the store with its one account, keeps a copy for every start, and returns an app password."""
        self._run("key", "generate", self.directory / "master.key")
        password = self.add_account(self.user)
        shutil.copytree(self.directory / "store", self.directory / "store.new")
        return password

    def add_account(self, user, *senders):
        """Makes an account that may also send as `senders`, and returns an app password of it."""
        self._run("user", "add", user, "--password-stdin", text=f"{PASSWORD}\n")
        for sender in senders:
            self._run("identity", "add", user, sender)
        return json.loads(self._run("app-password", "create", user, "--label", "bench", "--json"))["password"]

    def _run(self, *arguments, text=None):
        command = [self.binary, "--config", self.directory / "gatepost.toml", *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"gatepost {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def start(self):
        """Starts the server; returns the seconds from its exec to the first 220."""
        command = [self.binary, "--config", self.directory / "gatepost.toml", "serve"]
        with open(self.directory / "gatepost.log", "ab") as log:
            started = time.monotonic()
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for_greeting(self.ports["implicit"], self.ca)
        return time.monotonic() - started

    def pids(self):
        return [self.process.pid]

    def stop(self):
        """Ends the server, and puts the store back as it was before the first message."""
        if self.process:
            end(self.process.pid)
        self.process = None
        if (self.directory / "store.new").exists():
            shutil.rmtree(self.directory / "store", ignore_errors=True)
            shutil.copytree(self.directory / "store.new", self.directory / "store")

    def queued(self):
        """Whether a message waits. The database is asked, as a command would cost what is measured."""
        with sqlite3.connect(f"file:{self.directory}/store/queue.db?mode=ro", uri=True) as connection:
            (waits,) = connection.execute("SELECT EXISTS (SELECT 1 FROM entries)").fetchone()
        connection.close()
        return waits

    def version(self):
        return self._run("--version").strip()
