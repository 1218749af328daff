"""One CA and one ECDSA P-256 certificate, used by both servers."""

import subprocess


class Pki:
    """Makes the files in `directory`: `ca`, `certificate` (leaf, then CA) and `key`."""

    def __init__(self, directory):
        directory.mkdir()
        self.ca = directory / "ca.pem"
        self.certificate = directory / "fullchain.pem"
        self.key = directory / "key.pem"
        leaf, ca_key = directory / "leaf.pem", directory / "ca-key.pem"
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        _openssl("req", "-x509", *new_key, "-keyout", ca_key, "-out", self.ca, "-days", "30", "-subj", "/CN=Bench CA",
                 "-addext", "keyUsage=critical,keyCertSign")
        _openssl("req", "-x509", *new_key, "-keyout", self.key, "-out", leaf, "-days", "30", "-subj", "/CN=localhost",
                 "-CA", self.ca, "-CAkey", ca_key, "-addext", "basicConstraints=critical,CA:FALSE",
                 "-addext", "subjectAltName=DNS:localhost,DNS:bench.example.org,IP:127.0.0.1")
        self.certificate.write_text(leaf.read_text())
        self.key.chmod(0o600)


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
