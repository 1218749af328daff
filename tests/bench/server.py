"""What the two servers have in common: free ports, processes ended by pid, the wait for the first 220."""

import os
import pathlib
import signal
import socket
import ssl
import time


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_greeting(port, tls_ca, seconds=30):
    """Returns when the server on `port` has said 220; `tls_ca` means TLS comes first."""
    end = time.monotonic() + seconds
    context = ssl.create_default_context(cafile=tls_ca) if tls_ca else None
    while time.monotonic() < end:
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        except ConnectionRefusedError:
            time.sleep(0.0005)
            continue
        with context.wrap_socket(connection, server_hostname="localhost") if context else connection as stream:
            if stream.recv(512).startswith(b"220"):
                return
    raise TimeoutError(f"no 220 on port {port} within {seconds} s")


def processor_time(pid):
    """The seconds of processor time that a process has taken so far."""
    user, system = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def end(pid, seconds=20):
    """SIGTERM, and SIGKILL for what is still there after a while; returns when the process is gone."""
    for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, seconds)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if _gone(pid):
                return
            time.sleep(0.01)


def _gone(pid):
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
    except FileNotFoundError:
        return True
    return state.startswith("Z")
