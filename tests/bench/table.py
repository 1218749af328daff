"""The table: medians of both servers side by side, with what is aimed for."""

import statistics

from loads import SENDING

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def render(options, facts, results):
    lines = [_machine(facts), "", _how(options, results), ""]
    lines += ["| | Postfix + Dovecot | Gatepost | Gatepost : Postfix | aim |", "| --- | ---: | ---: | ---: | ---: |"]
    lines += [_row(*row) for row in _rows(results) if row[1] or row[2]]
    return "\n".join(lines)


def update(path, text):
    """Replaces what stands between the two markers."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise RuntimeError(f"{path} lacks {BEGIN} … {END}")
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def _machine(facts):
    return (f"{facts['cores']} cores of {facts['cpu']}, {facts['memory_gib']} GiB, Linux {facts['kernel']}, "
            f"{facts['file_system']}; {facts['syncs_per_second']:,} syncs of 4 KiB a second one after the other, "
            f"{facts['signatures_per_second'] or 0:,} ECDSA P-256 signatures a second and core (openssl speed).")


def _how(options, results):
    versions = "; ".join(results["versions"].values())
    return (f"{versions}. {options.tls} TLS with {options.key_exchange} and a full handshake each time, AUTH PLAIN, "
            f"{options.concurrency} connections at a time, {options.seconds} s a run, medians of {options.rounds} runs "
            "in turn; the load generator runs on the same cores.")


def _rows(results):
    """What, Postfix's value, Gatepost's value, how to write them, and the aim: a ratio unless it has a unit."""
    def both(read, name):
        runs = results.get(name, {})
        return [_median([read(run) for run in runs.get(server, [])]) for server in ("Postfix", "Gatepost")]

    aims = {"one": ("≥ 3", "≤ 0.25"), "hundred": ("≥ 3", "≤ 0.25"), "large": ("≥ 1.2", ""), "login": ("", "")}
    for name, (title, _) in SENDING.items():
        per, unit = ("login", "log-ins") if name == "login" else ("message", "messages")
        rate = "connections_per_second" if name == "login" else "messages_per_second"
        yield (f"{title}: {unit}/s", *both(lambda run: run[rate], name), "{:,.0f}", aims[name][0])
        cpu = f"server_cpu_ms_per_{per}"
        yield (f"{title}: server CPU, ms each", *both(lambda run: run[cpu], name), "{:.3f}", aims[name][1])
        yield (f"{title}: whole session, p99 ms", *both(lambda run: run["session_ms"]["p99"], name), "{:.1f}", "")
    yield ("one plain client, whole session: p50 ms", *both(lambda run: run["session_ms"]["p50"], "plain"), "{:.2f}", "< 10 ms")
    yield ("one plain client, whole session: p99 ms", *both(lambda run: run["session_ms"]["p99"], "plain"), "{:.2f}", "< 10 ms")
    yield ("memory of an idle connection, KiB (shared pages divided)",
           *both(lambda run: run["pss_kib_per_connection"], "idle"), "{:,.1f}", "")
    yield ("memory of an idle connection, KiB (resident)",
           *both(lambda run: run["rss_kib_per_connection"], "idle"), "{:,.1f}", "≤ 24 KiB")
    starts = [_median([1000 * s for s in results["start"].get(server, [])]) for server in ("Postfix", "Gatepost")]
    yield ("from exec to the first 220, ms", *starts, "{:,.0f}", "≤ 50 ms")


def _row(what, postfix, gatepost, form, aim):
    cell = lambda value: form.format(value) if value is not None else "–"
    ratio = f"{gatepost / postfix:.2g}" if postfix and gatepost else "–"
    return f"| {what} | {cell(postfix)} | {cell(gatepost)} | {ratio} | {aim} |"


def _median(values):
    return statistics.median(values) if values else None
