"""The loads: what is sent to both servers, in turn, so that whatever else the machine does hits both alike."""

import json
import resource
import subprocess
import sys

# Name: (what it is, arguments of the load generator, what is read from its report).
SENDING = {
    "one": ("4 KiB, one message a connection", ["--size", "4096", "--per-connection", "1"]),
    "hundred": ("4 KiB, 100 messages a connection", ["--size", "4096", "--per-connection", "100"]),
    "large": ("1 MiB, 10 messages a connection", ["--size", "1048576", "--per-connection", "10"]),
    "login": ("log-in only", ["--mode", "login"]),
}
NAMES = [*SENDING, "plain", "idle"]

# Before it counts: processes forked, certificates parsed, files grown.
WARM_UP = 300


def measure(options, servers, pki):
    """Every report of the load generator, by load and server, plus the times of the starts."""
    _allow_many_files()
    results = {"versions": {server.name: server.version() for server in servers}, "start": {}}
    for name in options.loads:
        rounds = 1 if name == "idle" else options.rounds
        for number in range(rounds):
            # Each round begins with the other server.
            for server in servers if number % 2 == 0 else servers[::-1]:
                started = server.start()
                results["start"].setdefault(server.name, []).append(started)
                report = _run(options, name, server, pki)
                server.stop()
                results.setdefault(name, {}).setdefault(server.name, []).append(report)
                print(f"{name} {number + 1}/{rounds} {server.name}: {_brief(report)}", file=sys.stderr)
    return results


def send(options, name, server, pki, arguments):
    """The report of one run of a load, as long as `arguments` say."""
    return _load(options, server, pki, [*SENDING[name][1], "--concurrency", str(options.concurrency), *arguments])


def _run(options, name, server, pki):
    if name == "idle":
        return _load(options, server, pki, ["--mode", "idle", "--concurrency", str(options.idle)])
    if name == "plain":
        # One client at a time that waits for every reply, as most libraries do.
        arguments = ["--concurrency", "1", "--no-pipelining"]
        _load(options, server, pki, [*arguments, "--messages", "20"])
        return _load(options, server, pki, [*arguments, "--messages", "200"])
    send(options, name, server, pki, ["--messages", str(WARM_UP)])
    return send(options, name, server, pki, ["--seconds", str(options.seconds)])


def _load(options, server, pki, arguments):
    command = [
        options.load, "--address", f"127.0.0.1:{server.ports[options.tls]}", "--server-name", "localhost",
        "--tls", options.tls, "--key-exchange", options.key_exchange, "--ca", pki.ca,
        "--user", server.user, "--password-stdin", *arguments,
    ]
    for pid in server.pids():
        command += ["--server-pid", str(pid)]
    done = subprocess.run(command, input=server.password + "\n", capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"load: {done.stderr.strip()}")
    return json.loads(done.stdout)


def _brief(report):
    keys = ("messages_per_second", "connections_per_second", "server_cpu_ms_per_message", "server_cpu_ms_per_login",
            "rss_kib_per_connection", "pss_kib_per_connection", "session_ms", "errors")
    return json.dumps({key: report[key] for key in keys if report.get(key)})


def _allow_many_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
