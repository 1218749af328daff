"""What the machine can do at best: the ceilings under which both servers work."""

import os
import pathlib
import platform
import subprocess
import time


def facts(directory):
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": platform.release(),
        "file_system": _file_system(directory),
        "syncs_per_second": _syncs(directory),
        "signatures_per_second": _signatures(),
    }


def _cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(directory):
    found = subprocess.run(["stat", "-f", "-c", "%T", directory], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def _syncs(directory, seconds=2):
    """4 KiB appended and fdatasynced, one after the other."""
    block, count, path = bytes(4096), 0, directory / "sync"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    started = time.monotonic()
    while time.monotonic() < started + seconds:
        os.write(descriptor, block)
        os.fdatasync(descriptor)
        count += 1
    elapsed = time.monotonic() - started
    os.close(descriptor)
    path.unlink()
    return round(count / elapsed)


def _signatures():
    """ECDSA P-256 signatures a second on one core: each full handshake costs the server one."""
    command = ["openssl", "speed", "-seconds", "1", "-mr", "ecdsap256"]
    done = subprocess.run(command, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        fields = line.split(":")
        if fields[0] == "+F4":
            rate = float(fields[3])
            # Older versions print seconds an operation, newer ones operations a second.
            return round(rate if rate > 1 else 1 / rate)
    return None
