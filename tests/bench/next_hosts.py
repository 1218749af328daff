"""Next hosts for a measurement: one that takes all mail and notes when it came, one that is silent, one that refuses connections; and a DNS server that names them."""

import re
import socket
import struct
import threading
import time

SUBJECT = re.compile(rb"^Subject: (\S+)", re.MULTILINE)


class Live:
    """Takes all mail, and notes when each message was there, by its subject."""

    def __init__(self, address=("127.0.0.1", 0)):
        self.arrived, self._news = {}, threading.Condition()
        self.listener = socket.create_server(address)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=_accept, args=(self.listener, self._serve), daemon=True).start()

    def _serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 live.example\r\n")
            for line in lines:
                command = line[:4].upper()
                if command == b"DATA":
                    connection.sendall(b"354 go on\r\n")
                    self._note(_text(lines))
                connection.sendall(b"250-live.example\r\n250 PIPELINING\r\n" if command == b"EHLO" else b"250 ok\r\n")

    def _note(self, text):
        with self._news:
            self.arrived[SUBJECT.search(text).group(1).decode()] = time.monotonic()
            self._news.notify_all()

    def wait_for(self, subject, seconds=60):
        """When the message was there."""
        with self._news:
            if not self._news.wait_for(lambda: subject in self.arrived, seconds):
                raise TimeoutError(f"{subject} was not delivered within {seconds} s")
            return self.arrived[subject]


class Silent:
    """Takes connections, and says nothing."""

    def __init__(self, address=("127.0.0.1", 0)):
        self.connections = []
        self.listener = socket.create_server(address)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=_accept, args=(self.listener, self.connections.append), daemon=True).start()


class Refusing:
    """Nobody listens there; who tries is not counted."""

    def __init__(self, address=("127.0.0.1", 0)):
        # Bound, so that nobody else gets the port, and not listening.
        self.bound = socket.socket()
        self.bound.bind(address)
        self.port = self.bound.getsockname()[1]


class Names:
    """A DNS server over UDP that knows one mail host for each domain, and signs nothing."""

    A, MX = 1, 15

    def __init__(self, hosts):
        """`hosts` are the IPv4 addresses of the mail hosts of domains."""
        self.records = {}
        for domain, address in hosts.items():
            self.records[domain, self.MX] = struct.pack(">H", 10) + _name(f"mx.{domain}")
            self.records[f"mx.{domain}", self.A] = socket.inet_aton(address)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            self.socket.sendto(self._answer(query), client)

    def _answer(self, query):
        end = query.index(b"\0", 12) + 5
        kind = struct.unpack(">H", query[end - 4:end - 2])[0]
        record = self.records.get((_labels(query[12:end - 4]), kind))
        header = query[:2] + struct.pack(">HHHHH", 0x8180, 1, int(record is not None), 0, 0)
        if record is None:
            return header + query[12:end]
        # The name is that of the question, at octet 12; it holds for a minute.
        return header + query[12:end] + struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(record)) + record


def _accept(listener, serve):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def _text(lines):
    text = []
    for line in lines:
        if line == b".\r\n":
            break
        text.append(line)
    return b"".join(text)


def _name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def _labels(octets):
    labels, at = [], 0
    while octets[at]:
        labels.append(octets[at + 1:at + 1 + octets[at]].decode().lower())
        at += 1 + octets[at]
    return ".".join(labels)
