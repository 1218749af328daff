"""The reader of GMime, which Geary, Balsa and notmuch are built on; README.md tells what is asked and answered.

Wants Debian's own Python, for which python3-gi is packaged.
"""

import json
import sys

import gi

gi.require_version("GMime", "3.0")
from gi.repository import GMime  # noqa: E402 (the version comes first)

KINDS = {"from": GMime.AddressType.FROM, "sender": GMime.AddressType.SENDER, "reply-to": GMime.AddressType.REPLY_TO}


def mailboxes(addresses):
    for index in range(addresses.length() if addresses else 0):
        address = addresses.get_address(index)
        if isinstance(address, GMime.InternetAddressGroup):
            yield from mailboxes(address.get_members())
        else:
            yield address


def text(value):
    return (value or "").encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def main():
    GMime.init()
    for line in sys.stdin:
        question = json.loads(line)
        stream = GMime.StreamMem.new_with_buffer(question["message"].encode("latin-1"))
        message = GMime.Parser.new_with_stream(stream).construct_message(None)
        kind = KINDS.get(question["name"].lower())
        found = [] if kind is None else list(mailboxes(message.get_addresses(kind)))
        answer = {
            "id": question["id"],
            "reader": "GMime",
            "addresses": [text(mailbox.get_addr()) for mailbox in found],
            "names": [text(mailbox.get_name()) for mailbox in found if mailbox.get_name()],
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
