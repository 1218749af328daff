"""Postfix with Dovecot SASL: Debian's packages in a configuration of their own, tuned fairly."""

import base64
import hashlib
import os
import secrets
import shutil
import string
import subprocess
import time

from server import end, free_port, wait_for_greeting

# What differs from Debian's defaults, and why:
# - mail goes on hold, by an access rule: cleaned up and fsynced like any other, then left alone by the queue manager;
# - no limits on a client's connections, and as many smtpd processes as the loads can use;
# - the log goes to a file through postlogd, since a bench machine may run no syslogd.
MAIN_CF = """
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
myhostname = bench.example.org
mydestination =
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
inet_interfaces = loopback-only
inet_protocols = ipv4
biff = no
append_dot_mydomain = no
maillog_file = {dir}/postfix.log
maillog_file_prefixes = {dir}

smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtp_tls_session_cache_database = btree:${{data_directory}}/smtp_scache

smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {dir}/auth.sock
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_client_access static:HOLD

message_size_limit = 36700160
smtpd_client_connection_count_limit = 0
max_use = 1000
"""

# Debian's services, without chroot (the log and the SASL socket lie elsewhere) and without the unused transports.
MASTER_CF = """
127.0.0.1:{implicit} inet n - n - 2500 smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{starttls} inet n - n - 2500 smtpd -o smtpd_tls_security_level=encrypt
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
"""

# One salted SHA-256 a log-in, the cheapest that stores no clear text: no slower than an app password's digest.
DOVECOT_CONF = """
protocols =
listen = 127.0.0.1
ssl = no
base_dir = {dir}/dovecot
state_dir = {dir}/dovecot
log_path = {dir}/dovecot.log
auth_mechanisms = plain login
disable_plaintext_auth = no
passdb {{
  driver = passwd-file
  args = {dir}/users
}}
service auth {{
  client_limit = 6000
  unix_listener {dir}/auth.sock {{
    mode = 0600
    user = postfix
  }}
}}
service anvil {{
  client_limit = 6000
}}
"""


class Postfix:
    name = "Postfix"
    user = "alice@example.org"

    def __init__(self, directory, pki):
        install()
        self.directory, self.pki = directory, pki
        self.ports = {"implicit": free_port(), "starttls": free_port()}
        self.password = "".join(secrets.choice(string.ascii_lowercase) for _ in range(16))
        self.master, self.dovecot = None, None
        directory.mkdir()
        self._write_configuration()

    def _write_configuration(self):
        values = {"dir": self.directory, "certificate": self.pki.certificate, "key": self.pki.key, **self.ports}
        for name, text in (("main.cf", MAIN_CF), ("master.cf", MASTER_CF), ("dovecot.conf", DOVECOT_CONF)):
            (self.directory / name).write_text(text.format(**values))
        salt = os.urandom(8)
        digest = hashlib.sha256(self.password.encode() + salt).digest() + salt
        users = self.directory / "users"
        users.write_text(f"{self.user}:{{SSHA256}}{base64.b64encode(digest).decode()}\n")
        shutil.chown(users, "dovecot")
        users.chmod(0o600)
        for name, owner in (("queue", "root"), ("data", "postfix"), ("dovecot", "root")):
            (self.directory / name).mkdir()
            shutil.chown(self.directory / name, owner)

    def start(self):
        """Starts both; returns the seconds from the exec of `postfix start` to the first 220."""
        command = ["dovecot", "-F", "-c", self.directory / "dovecot.conf"]
        with open(self.directory / "dovecot.out", "ab") as out:
            self.dovecot = subprocess.Popen(command, stdout=out, stderr=out)
        self._wait_for_auth()
        started = time.monotonic()
        with open(self.directory / "postfix.out", "ab") as out:
            subprocess.run(["postfix", "-c", self.directory, "start"], check=True, stdout=out, stderr=out)
        self.master = int((self.directory / "queue/pid/master.pid").read_text())
        wait_for_greeting(self.ports["implicit"], self.pki.ca)
        return time.monotonic() - started

    def _wait_for_auth(self, seconds=10):
        until = time.monotonic() + seconds
        while not (self.directory / "auth.sock").exists():
            if self.dovecot.poll() is not None or time.monotonic() > until:
                raise RuntimeError("dovecot: " + (self.directory / "dovecot.out").read_text().strip())
            time.sleep(0.01)

    def pids(self):
        return [self.master, self.dovecot.pid]

    def stop(self):
        """Ends both, and empties the queue."""
        if self.master:
            end(self.master)
        if self.dovecot:
            end(self.dovecot.pid)
        self.master, self.dovecot = None, None
        for queue in ("hold", "incoming", "active", "maildrop"):
            for file in (self.directory / "queue" / queue).rglob("*"):
                if file.is_file():
                    file.unlink()

    def version(self):
        found = subprocess.run(["postconf", "-dh", "mail_version"], capture_output=True, text=True, check=True)
        dovecot = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, check=True)
        return f"Postfix {found.stdout.strip()}, Dovecot {dovecot.stdout.split()[0]}"


def install():
    """Debian's packages, if they are missing; none of their services is started."""
    if shutil.which("postfix") and shutil.which("dovecot"):
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", "postfix", "dovecot-core"]
    subprocess.run(["apt-get", "update"], check=True, env=environment)
    subprocess.run(install, check=True, env=environment)
