#!/usr/bin/env python3
"""Shows author fields to readers that others wrote, and tells which of them show somebody else's address.

    tests/readers/read.py --own me@gp.test tests/readers/fields.json     a corpus
    tests/readers/read.py --own me@gp.test FILE                          JSON lines; README.md has their form

Exit 1 if a reader shows an address that is not one of --own, or a name with such an address in it. Exit 2 if a reader is
missing or gives up.
"""

import argparse
import base64
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[1] / "target"))
# Not Reply-To, in which anybody may be named.
AUTHORS = {"from", "sender", "resent-from", "resent-sender"}
# No reader takes longer over one field.
PATIENCE = 120


def main():
    options = parse()
    questions = list(asked(options.file, options.own))
    answers, failures = ask(programs(options), questions)
    for answer in answers:
        judge(answer, Own(questions[answer["id"]]["own"]))
    wrong = [answer for answer in answers if answer["authors"] or answer["in_names"]]
    if options.json:
        for answer in answers:
            print(json.dumps(answer))
    else:
        report(questions, answers if options.all else wrong, options.most)
        summary(questions, answers, wrong)
    for failure in failures:
        print(failure, file=sys.stderr)
    sys.exit(2 if failures else 1 if wrong else 0)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path, help="fields or messages")
    parser.add_argument("--own", action="append", default=[], metavar="ADDRESS", help="may be shown; *@DOMAIN for all of a domain")
    parser.add_argument("--all", action="store_true", help="print what everybody shows, not only what is wrong")
    parser.add_argument("--most", type=int, metavar="N", help="print no more than N fields")
    parser.add_argument("--json", action="store_true", help="print every answer as a line of JSON")
    parser.add_argument("--made", type=pathlib.Path, default=TARGET / "readers", help="where node_modules is [target/readers]")
    parser.add_argument("--python", action="append", metavar="PATH", help="a Python to ask [python3 and /usr/bin/python3]")
    parser.add_argument("--only", action="append", metavar="PROGRAM", help="ask this program alone: node, perl, php, …")
    return parser.parse_args()


def asked(file, own):
    """The questions for the programs: of each author field its name and its octets, and the message that it stands in. What was
    asked already isn't asked again."""
    seen = set()
    for entry in entries(file):
        for name, field, message in author_fields(entry):
            question = (name, field, *entry.get("own", own))
            if question not in seen:
                seen.add(question)
                octets = {"field": field.decode("latin-1"), "message": message.decode("latin-1")}
                yield {"of": entry.get("id"), "name": name, "own": entry.get("own", own), **octets}


def author_fields(entry):
    if "message" in entry:
        message = base64.b64decode(entry["message"])
        return [(name, field, message) for name, field in header(message) if name.lower() in AUTHORS]
    name, field = entry.get("name", "From"), entry["field"].encode("latin-1").strip(b"\r\n") + b"\r\n"
    return [(name, field, name.encode() + b":" + field + b"To: you@example.net\r\nSubject: s\r\n\r\nhello\r\n")]


def entries(file):
    text = file.read_text()
    if file.suffix == ".json":
        fields = [field for group in json.loads(text).values() for field in group]
        return [{"id": number, "field": " " + field} for number, field in enumerate(fields)]
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def header(message):
    """The fields of a message as they stand there: name, and octets behind the colon up to the line's end."""
    section = message.partition(b"\r\n\r\n")[0] + b"\r\n"
    for line in re.findall(rb"[^\r\n]+\r\n(?:[ \t][^\r\n]*\r\n)*", section):
        name, _, field = line.partition(b":")
        yield name.strip().decode("latin-1"), field


def programs(options):
    """The command of each program; the one in Go is built."""
    pythons = options.python or {os.path.realpath(path): path for path in ("python3", "/usr/bin/python3")}.values()
    commands = {
        "node": ["node", HERE / "node.mjs", options.made],
        "perl": ["perl", HERE / "perl.pl"],
        "php": ["php", HERE / "php.php"],
        "ruby": ["ruby", HERE / "ruby.rb"],
        "go": [options.made / "go-readers"],
        "formail": [sys.executable, HERE / "formail.py"],
        "gmime": ["/usr/bin/python3", HERE / "gmime.py"],
        **{f"python {path}": [path, HERE / "python.py"] for path in pythons},
    }
    if options.only:
        commands = {name: command for name, command in commands.items() if name.split()[0] in options.only}
    if "go" in commands:
        build_go(options.made)
    for name, command in commands.items():
        if not shutil.which(command[0]):
            sys.exit(f"{command[0]} is missing; tests/run installs what the readers need")
    return commands


def build_go(made):
    source, binary = HERE / "go.go", made / "go-readers"
    if binary.exists() and binary.stat().st_mtime > source.stat().st_mtime:
        return
    made.mkdir(parents=True, exist_ok=True)
    fresh = made / f"go-readers.{os.getpid()}"
    environment = {**os.environ, "GO111MODULE": "off", "GOCACHE": str(made / "go-cache")}
    subprocess.run(["go", "build", "-o", fresh, source], env=environment, check=True)
    fresh.rename(binary)


def ask(commands, questions):
    """Asks all programs at the same time; their answers in the order of the questions, and which of them gave up."""
    lines = [json.dumps({"id": number, **question}) + "\n" for number, question in enumerate(questions)]
    answers, failures, threads = [], [], []
    for name, command in commands.items():
        thread = threading.Thread(target=converse, args=(name, command, lines, answers, failures))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    return sorted(answers, key=lambda answer: (answer["id"], answer["reader"])), failures


def converse(name, command, lines, answers, failures):
    with tempfile.TemporaryFile("w+", errors="replace") as complaints:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": complaints}
        child = subprocess.Popen(command, text=True, encoding="utf-8", errors="replace", **pipes)
        threading.Thread(target=feed, args=(child, lines), daemon=True).start()
        answered = listen(child, answers)
        if child.wait() != 0 or answered != len(lines) - 1:
            complaints.seek(0)
            stopped = lines[min(answered + 1, len(lines) - 1)].strip()
            failures.append(f"{name} ended with {child.returncode} at {stopped}\n{complaints.read()[-2000:]}")


def listen(child, answers):
    """Takes answers until there are no more, or none comes for a while; the last question that was answered."""
    answered, heard = -1, threading.Event()
    threading.Thread(target=watch, args=(child, heard), daemon=True).start()
    for line in child.stdout:
        heard.set()
        answer = json.loads(line)
        answers.append(answer)
        answered = answer["id"]
    return answered


def watch(child, heard):
    """Ends a program that has long said nothing."""
    while child.poll() is None:
        if not heard.wait(PATIENCE):
            child.kill()
        heard.clear()
        time.sleep(1)


def feed(child, lines):
    try:
        with child.stdin:
            child.stdin.writelines(lines)
    except BrokenPipeError:
        pass  # It ended early, which its missing answers tell.


class Own:
    """The addresses that may be shown."""

    def __init__(self, addresses):
        self.addresses = {address.lower() for address in addresses if not address.startswith("*@")}
        self.domains = {address[2:].lower() for address in addresses if address.startswith("*@")}

    def has(self, address):
        # Some show quotes around what could do without; it is the same address (RFC 5321 section 4.1.2).
        address = re.sub(r'^"([^\s@<>()\[\],;:\\"]+)"@', r"\1@", address)
        local, _, domain = address.lower().rpartition("@")
        plain = re.fullmatch(r"[^\s@<>()\[\],;:\\\"]+", local) and "=?" not in local
        return address.lower() in self.addresses or bool(plain and domain in self.domains)

    def alive_in(self, name):
        """Whether an `@` stands in a name outside of an own address: it is one more author to whoever reads the name.
        Some readers put blanks around it."""
        return self._alive_in(name) and self._alive_in(re.sub(r"\s*([@.])\s*", r"\1", name))

    def _alive_in(self, name):
        words = re.split(r"[\s<>()\[\],;:\\\"]+", name)
        return any("@" in word and not self.has(word) for word in words)


def judge(answer, own):
    """Adds what of an answer is somebody else's."""
    answer["authors"] = [address for address in answer["addresses"] if address and not own.has(address.strip())]
    answer["in_names"] = [name for name in answer["names"] if own.alive_in(name)]


def report(questions, answers, most):
    for number, shown in list(grouped(answers).items())[:most]:
        print(f"{number}: {questions[number]['name']}:{json.dumps(questions[number]['field'])[1:-1]}")
        for answer in shown:
            mark = "!" if answer["authors"] or answer["in_names"] else " "
            addresses = " ".join(answer["addresses"]) or "-"
            print(f"  {mark} {answer['reader']:66} {addresses}  {answer['names']} {answer.get('error', '')[:60]}")


def grouped(answers):
    groups = collections.defaultdict(list)
    for answer in answers:
        groups[answer["id"]].append(answer)
    return groups


def summary(questions, answers, wrong):
    readers = collections.defaultdict(collections.Counter)
    for answer in answers:
        counts = readers[answer["reader"]]
        counts["author"] += bool(answer["authors"])
        counts["name"] += bool(answer["in_names"])
        counts["nobody"] += not any(answer["addresses"])
    fooled = len({answer["id"] for answer in wrong})
    print(f"{len(questions)} fields, {len(readers)} readers; {fooled} fields show somebody else to a reader")
    print(f"{'':70} wrong author   in the name   nobody shown")
    for reader, counts in sorted(readers.items()):
        print(f"  {reader:68} {counts['author']:12}   {counts['name']:11}   {counts['nobody']:12}")


if __name__ == "__main__":
    main()
