"""formail of procmail, which says whom to answer; README.md tells what is asked and answered."""

import json
import subprocess
import sys


def main():
    for line in sys.stdin:
        question = json.loads(line)
        shown = ""
        if question["name"].lower() == "from":
            shown = answered(question["message"].encode("latin-1").replace(b"\r\n", b"\n"))
        answer = {"id": question["id"], "reader": "formail", "addresses": [shown] if shown else [], "names": []}
        print(json.dumps(answer), flush=True)


def answered(message):
    """Whom it would answer; empty if it finds nobody, which is an error to it."""
    done = subprocess.run(["formail", "-rtzxTo:"], input=message, stdout=subprocess.PIPE)
    return done.stdout.decode("latin-1").strip()


if __name__ == "__main__":
    main()
