"""Compares what arrived with what was meant, as Python's email reads it; and with what the next host can take."""

import base64
import email
import email.header
import email.utils
import re

# RFC 5321 section 4.5.3.1.6, without CRLF.
LONGEST = 998


def differences(arrived, letter):
    """What is wrong with a message, in sentences. `arrived` has its sender, recipients and octets, and what the next host offers."""
    octets = base64.b64decode(arrived["octets"])
    header, _, body = octets.partition(b"\r\n\r\n")
    # Raw octets in a header are UTF-8 (RFC 6532), which this parser knows nothing of.
    message = email.message_from_string(header.decode("utf-8", "surrogateescape"))
    yield from unequal("the recipients", sorted(arrived["recipients"]), sorted(letter.to))
    yield from unequal("the subject", words(decoded(message["Subject"] or "")), words(letter.subject))
    yield from unequal("the author", [a for _, a in email.utils.getaddresses(message.get_all("From", []))], [arrived["sender"]])
    yield from unequal("To", shown(message), list(letter.to if letter.shown is None else letter.shown))
    yield from unequal("the text", trimmed(body_text(email.message_from_bytes(octets))), trimmed(letter.body))
    yield from form(arrived["next"], header, body, octets)


def unequal(what, is_now, was_meant):
    if is_now != was_meant:
        yield f"{what} is {shortened(is_now)}, and was meant to be {shortened(was_meant)}"


def shortened(value):
    value = repr(value)
    return value if len(value) < 300 else f"{value[:140]} … {value[-140:]}"


def form(offered, header, body, octets):
    """What no server may send to one that offers no more than `offered`."""
    if "SMTPUTF8" not in offered and not header.isascii():
        yield "octets above 127 in the header, for a host without SMTPUTF8"
    if "8BITMIME" not in offered and not body.isascii():
        yield "octets above 127 in the text, for a host without 8BITMIME"
    if (longest := max(map(len, octets.split(b"\r\n")))) > LONGEST:
        yield f"a line of {longest} octets"
    if re.search(rb"(?<!\r)\n|\r(?!\n)", octets):
        yield "a bare line end"


def decoded(field):
    return str(email.header.make_header(email.header.decode_header(field)))


def words(value):
    """Folds may have become blanks, and blanks folds."""
    return " ".join(value.split())


def shown(message):
    return [address for _, address in email.utils.getaddresses(message.get_all("To", []))]


def body_text(message):
    """The first text in it; where no charset is said it is UTF-8, as nobody said anything else."""
    part = next(part for part in message.walk() if part.get_content_maintype() == "text")
    charset = part.get_content_charset() or "utf-8"
    octets = part.get_payload(decode=True)
    return octets.decode("utf-8" if charset in ("us-ascii", "unknown-8bit") else charset)


def trimmed(value):
    """Programs end a text with a line end or two."""
    return value.replace("\r\n", "\n").rstrip("\n")
