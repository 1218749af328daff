"""Signs messages as a DKIM signer does that the author's program hands them to, and judges what arrived: dkimpy, of Debian's python3-dkim.

    tests/programs/dkim_signature.py sign KEY CANONICALIZATION <message
    tests/programs/dkim_signature.py verify KEY <message        exits 0 if the signature holds

KEY is a private RSA key in PEM, without a password. Nothing is asked of the DNS.
"""

import base64
import subprocess
import sys

import dkim

SELECTOR, DOMAIN = b"a", b"example.org"
# The last two are not there, and so must not be added; nor must there be a second From.
SIGNED = [b"From", b"To", b"Subject", b"Date", b"Message-ID", b"MIME-Version", b"Content-Type", b"From", b"Reply-To", b"Sender"]


def main():
    what, key, *more = sys.argv[1:]
    message = sys.stdin.buffer.read()
    if what == "sign":
        sys.stdout.buffer.write(signed(message, key, more[0].encode()))
    else:
        sys.exit(0 if dkim.verify(message, dnsfunc=lambda name, **_: record(key)) else 1)


def signed(message, key, canonicalization):
    with open(key, "rb") as file:
        secret = file.read()
    ways = tuple(canonicalization.split(b"/"))
    return dkim.sign(message, SELECTOR, DOMAIN, secret, canonicalize=ways, include_headers=SIGNED) + message


def record(key):
    """What the DNS would say of this key (RFC 6376 section 3.6.1)."""
    public = subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


if __name__ == "__main__":
    main()
