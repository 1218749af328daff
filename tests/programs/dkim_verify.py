"""Judges every DKIM signature of a message: dkimpy, of Debian's python3-dkim, with python3-nacl for Ed25519.

    tests/programs/dkim_verify.py RECORDS MESSAGE

RECORDS is JSON, the text of the record of each name; MESSAGE is a file. Nothing is asked of the DNS. Prints JSON: of each signature, the first one first, its
tags with the white space taken out, and as `holds` whether it does.
"""

import json
import sys

import dkim


def main():
    records = json.loads(sys.argv[1])
    with open(sys.argv[2], "rb") as file:
        message = file.read()
    number = sum(name.lower() == b"dkim-signature" for name, _ in dkim.DKIM(message).headers)
    print(json.dumps([judged(message, index, records) for index in range(number)]))


def judged(message, index, records):
    judge = dkim.DKIM(message, minkey=2048)

    def ask(name, **_):
        return records.get(name.decode().rstrip("."), "").encode()

    try:
        holds = judge.verify(index, dnsfunc=ask)
    except dkim.DKIMException:
        holds = False
    tags = {name.decode(): "".join(value.decode().split()) for name, value in judge.signature_fields.items()}
    return {**tags, "holds": bool(holds)}


if __name__ == "__main__":
    main()
