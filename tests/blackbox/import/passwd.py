"""Writes a passwd-file as Dovecot would have it, and who has which password in it.

Every hash is made by somebody else's code: openssl, libcrypt (through perl), hashlib, and doveadm some time ago.
"""

import base64
import hashlib
import os
import subprocess
import sys

DOVEADM = [  # of the password `secret`
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$QyvXrB9WOoFFPoXXbb0quw$1ezdBEQQoyBwDictSogJ9KEwqOEJGkV6c/EP+fNdK/Y",
    "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$cwnZe3fg04XM542oCQ1/3A$myXRW7K9Uyhoa8BwkvOfckKoOT17TC/XrXDgdzOSj6g",
]


def piped(command, passwords):
    made = subprocess.run(command, input="\n".join(passwords) + "\n", text=True, check=True, capture_output=True)
    return made.stdout.splitlines()


def openssl(algorithm):
    return lambda passwords: piped(["openssl", "passwd", algorithm, "-stdin"], passwords)


def libcrypt(setting):
    # The number of the line is the salt.
    script = "while (<STDIN>) { chomp; print crypt($_, sprintf(q(" + setting + "), $.)), qq(\\n) }"
    return lambda passwords: piped(["perl", "-e", script], passwords)


def salted(algorithm):
    def one(password):
        salt = os.urandom(8)
        return base64.b64encode(hashlib.new(algorithm, password.encode() + salt).digest() + salt).decode()

    return lambda passwords: [one(password) for password in passwords]


def salted_hex(passwords):
    return [base64.b64decode(text).hex() for text in salted("sha512")(passwords)]


def pbkdf2(passwords):
    def one(password):
        salt = os.urandom(6).hex()
        return f"$1${salt}$5000$" + hashlib.pbkdf2_hmac("sha1", password.encode(), salt.encode(), 5000, 20).hex()

    return [one(password) for password in passwords]


KINDS = [  # what is written before the hash, how it is made, for how many users
    ("{SHA512-CRYPT}", openssl("-6"), 190),
    ("{SHA256-CRYPT}", openssl("-5"), 150),
    ("", openssl("-6"), 100),
    ("{BLF-CRYPT}", libcrypt("$2y$04$%022d"), 150),
    ("{CRYPT}", libcrypt("$y$j75$%016d"), 50),
    ("{PBKDF2}", pbkdf2, 100),
    ("{SSHA}", salted("sha1"), 50),
    ("{SSHA256}", salted("sha256"), 70),
    ("{SSHA512}", salted("sha512"), 70),
    ("{SSHA512.HEX}", salted_hex, 30),
    ("{PLAIN}", lambda passwords: passwords, 30),
]

accounts, number = [], 0
for scheme, make, count in KINDS:
    users = [f"user{number + at}" for at in range(count)]
    passwords = [f"pass of {user}" for user in users]
    accounts += zip(users, passwords, (scheme + made for made in make(passwords)), strict=True)
    number += count
accounts += [(f"user{number + at}", "secret", DOVEADM[at % 2]) for at in range(10)]

with open(sys.argv[1], "w") as passwd, open(sys.argv[2], "w") as known:
    passwd.write("# moved from the old server\n\n")
    for at, (user, password, made) in enumerate(accounts):
        name = user if at % 2 else f"{user}@example.org"
        passwd.write(f"{name}:{made}:1000:1000::/var/vmail/{user}::userdb_quota_rule=*:storage=1G\n")
        known.write(f"{user}@example.org\t{password}\n")
