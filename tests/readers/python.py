"""Readers in Python's standard library, as programs use them; README.md tells what is asked and answered.

Runs under every Python from 3.6 on: the library has read addresses in another way every few releases.
"""

import email
import email.errors
import email.header
import email.policy
import email.utils
import inspect
import json
import platform
import sys

STRICT = "strict" in inspect.signature(email.utils.parseaddr).parameters


def main():
    for line in sys.stdin:
        question = json.loads(line)
        octets = question["message"].encode("latin-1")
        for reader, read in READERS.items():
            answer = {"id": question["id"], "reader": f"Python {platform.python_version()} {reader}"}
            print(json.dumps({**answer, **answered(read, octets, question["name"])}), flush=True)


def answered(read, octets, name):
    try:
        pairs = read(octets, name)
    except Exception as error:  # What a reader raises depends on the release; it shows nothing then.
        return {"addresses": [], "names": [], "error": repr(error)}
    return {
        "addresses": [address for _, address in pairs if address],
        "names": [decoded(shown) for shown, _ in pairs if shown],
    }


def decoded(value):
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (email.errors.MessageError, LookupError, ValueError):
        return str(value)


def compat32(octets, name):
    return str(email.message_from_bytes(octets)[name])


def unfolded(octets, name):
    return "".join(compat32(octets, name).splitlines())


def whole(decode, *, fold, lists, **more):
    """A reader by parseaddr or getaddresses."""

    def read(octets, name):
        value = decode((compat32 if fold else unfolded)(octets, name))
        return email.utils.getaddresses([value], **more) if lists else [email.utils.parseaddr(value, **more)]

    return read


def default_policy(octets, name):
    field = email.message_from_bytes(octets, policy=email.policy.default)[name]
    return [(address.display_name, address.addr_spec) for address in field.addresses]


def default_policy_then_parse(octets, name):
    return email.utils.getaddresses([str(email.message_from_bytes(octets, policy=email.policy.default)[name])])


def usual(value):
    """The text of a field as the library's own documentation has it."""
    return str(email.header.make_header(email.header.decode_header(value)))


READERS = {
    "policy.default": default_policy,
    "policy.default then getaddresses": default_policy_then_parse,
}
for how, decode in (("", str), ("decoded, then ", usual)):
    for folds, fold in (("", True), (", unfolded first", False)):
        READERS[f"{how}parseaddr{folds}"] = whole(decode, fold=fold, lists=False)
        READERS[f"{how}getaddresses{folds}"] = whole(decode, fold=fold, lists=True)
        if STRICT:
            READERS[f"{how}parseaddr not strict{folds}"] = whole(decode, fold=fold, lists=False, strict=False)
            READERS[f"{how}getaddresses not strict{folds}"] = whole(decode, fold=fold, lists=True, strict=False)

if __name__ == "__main__":
    main()
