#!/usr/bin/env python3
"""Writes author fields that are made to lose readers: JSON lines, as read.py takes them.

    tests/readers/generate.py --seed 1 --count 10000 > fields.jsonl

Half are of the grammar of RFC 5322, as those that a server takes are what a reader gets to see, every other one of these with one
thing changed; the rest are put together without rules, made of a field of fields.json with a few octets changed, or of two of
them spliced. Most end with an address that belongs to the sender, and have another's before it in one of the forms in which it comes alive for
somebody who has lost count of quotes, parentheses or encoded-words. The same seed gives the same fields.
"""

import argparse
import base64
import json
import pathlib
import random
import re
import sys

OWN = "me@gp.test"
OTHER = "ceo@bank.test"
CORPUS = pathlib.Path(__file__).with_name("fields.json")
# What a reader counts by; one more or less of it and the rest is read as something else.
MARKS = ['"', "\\", '\\"', "(", ")", "\\(", "\\)", "<", ">", ",", ";", ":", "@", "[", "]", "=?", "?=", "?", "=", ".", "'", "\r\n ", "\r\n\t", " ", "\t"]
# The same marks in another form (Unicode's compatibility decomposition), which some readers undo before they read.
WIDE = {ord(mark): chr(ord(mark) - 0x20 + 0xFF00) for mark in '"()<>,;:@[\\]'}
CHARSETS = ["utf-8", "UTF-8", "us-ascii", "iso-8859-1", "utf-7", "iso-2022-jp", "x", "", "utf-8*en", "unknown-8bit"]


def main():
    options = parse()
    chance = random.Random(options.seed)
    corpus = [field for group in json.loads(CORPUS.read_text()).values() for field in group if len(field) < 600]
    for number in range(options.count):
        make = (sound, nearly_sound, composed, sound, nearly_sound, mutated, spliced)[number % 7]
        print(json.dumps({"id": number, "field": " " + tidied(make(chance, corpus), chance)}))


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10000)
    return parser.parse_args()


def sound(chance, _corpus):
    """A field of the grammar: a phrase and comments, then the address; or the address and comments."""
    words = [sound_word(chance) for _ in range(chance.randint(0, 4))]
    behind = [sound_comment(chance) for _ in range(chance.choice([0, 0, 0, 0, 0, 1, 2]))]
    address = chance.choice([f"<{OWN}>"] * 5 + [sound_address(chance)]) if words or chance.random() < 0.5 else OWN
    fold = chance.choice([" "] * 4 + ["\r\n ", "", "\t"])
    return fold.join(words) + chance.choice([" ", "", "\r\n "]) + " ".join([address, *behind])


def nearly_sound(chance, corpus):
    return change(chance, sound(chance, corpus))


def sound_word(chance):
    return chance.choice([sound_quoted] * 4 + [sound_encoded] * 4 + [sound_atom] * 3 + [sound_comment])(chance)


def sound_atom(chance):
    return chance.choice(["Me", "Boss", "a", "O'Self", "=40", "bank", "=?", "?=", "=?x?q?", "=?utf-8", "=?-----", "{", "}", "`", "|", "~"])


def sound_quoted(chance):
    """Any text, with a backslash before what needs one, and before other things now and then."""
    return '"' + "".join(escaped(chance, octet, '"\\') for octet in inside(chance)) + chance.choice(["", "", "\\\\", "\\\"", "\r\n "]) + '"'


def sound_comment(chance, depth=0):
    nested = sound_comment(chance, depth + 1) if depth < 4 and chance.random() < 0.3 else ""
    text = "".join(escaped(chance, octet, "()\\") for octet in inside(chance))
    return f"({text}{nested}{chance.choice(['', '', chr(34), chr(92) * 2, chr(92) + ')'])})"


def escaped(chance, octet, special):
    return "\\" + octet if octet in special or (octet.isprintable() and chance.random() < 0.03) else octet


def sound_encoded(chance):
    text = "".join(c for c in inside(chance) + poison(chance) if c not in "\r\n")
    return encoded(chance, text, whole=True)


def sound_address(chance):
    address = f"{sound_quoted(chance)}@gp.test"
    return chance.choice([f"<{address}>", f"< {OWN} >", f"<{sound_comment(chance)}{OWN}>", f"<me{sound_comment(chance)}@gp.test>", f"<me@gp.test {sound_comment(chance)}>"])


def composed(chance, _corpus):
    return "".join(token(chance) + gap(chance) for _ in range(chance.randint(1, 6))) + ending(chance)


def mutated(chance, corpus):
    field = chance.choice(corpus)
    for _ in range(chance.randint(1, 4)):
        field = change(chance, field)
    return field


def spliced(chance, corpus):
    left, right = chance.choice(corpus), chance.choice(corpus)
    joint = chance.choice([" ", "", ", ", "\r\n ", '"', "(", *MARKS])
    field = left[: cut(chance, left)] + joint + right[cut(chance, right) :]
    return change(chance, field) if chance.random() < 0.3 else field


def cut(chance, field):
    """Where to cut: mostly beside a mark, as that is where a reader may lose its place."""
    places = [match.start() for match in re.finditer(r"""["\\()<>,;:@=?\[\]\r ]""", field)]
    return chance.choice(places) if places and chance.random() < 0.8 else chance.randint(0, len(field))


def change(chance, field):
    here, there = sorted((cut(chance, field), cut(chance, field)))
    piece = field[here:there]
    return chance.choice(
        [
            lambda: field[:here] + chance.choice(MARKS) + field[here:],
            lambda: field[:here] + field[here + 1 :],
            lambda: field[:here] + field[there:],
            lambda: field[:there] + piece + field[there:],
            lambda: field[:here] + poison(chance) + field[here:],
            lambda: field[:here] + token(chance) + field[there:],
            lambda: field[:here] + wrapped(chance, piece) + field[there:],
            lambda: field[:here] + chance.choice("\x01\x0b\x0c\x1b\x7f\x85\xa0\xc3\xe9\xff") + field[here:],
        ]
    )()


def ending(chance):
    return chance.choice([f"<{OWN}>"] * 6 + [OWN, OWN, f"<{OWN}>, <{OWN}>", f"{OWN} {comment(chance)}", f"<{OWN}> {comment(chance)}", f"< {OWN} >"])


def gap(chance):
    return chance.choice([" "] * 6 + ["", "", "\r\n ", "\r\n\t", "\t", "  ", ", ", "."])


def token(chance, depth=0):
    kinds = [atom, atom, quoted, quoted, comment, encoded, encoded, lambda c: c.choice(MARKS), poison, quoted_local_part, group]
    made = chance.choice(kinds)(chance)
    return wrapped(chance, made + gap(chance) + token(chance, depth + 1)) if depth < 3 and chance.random() < 0.15 else made


def atom(chance):
    return chance.choice(["Me", "Boss", "The", "a", "J.", "O'Self", "=40", "at", "bank.test", "\xc3\xa9", "\xe9", "me", "root", "x-y", "{", "|", "ceo"])


def poison(chance):
    """Another's address, in some form."""
    if chance.random() < 0.05:
        return encoded(chance, "", whole=True, octets=f"<{OTHER}>".translate(WIDE).encode())
    plain = [OTHER, f"<{OTHER}>", f"<{OTHER}>", f"{OTHER},", f"<{OTHER}>,", f",{OTHER}", f",<{OTHER}>,", f"{OTHER};", f"x:{OTHER};", f"@bank.test", f"<{OTHER}", f"{OTHER}>"]
    return chance.choice(plain) if chance.random() < 0.7 else encoded(chance, chance.choice(plain))


def inside(chance):
    """What stands between two quotes or parentheses."""
    pieces = [lambda: poison(chance)] * 3 + [lambda: atom(chance), lambda: chance.choice(MARKS), lambda: "\\" + chance.choice('\\"()<>@,a'), lambda: encoded(chance)]
    return gap(chance).join(chance.choice(pieces)() for _ in range(chance.randint(0, 4)))


def quoted(chance):
    return '"' + inside(chance) + chance.choice(['"'] * 6 + ["\\", '\\\\"', '\\"', '\r\n "', ""])


def comment(chance):
    middle = comment(chance) if chance.random() < 0.2 else inside(chance)
    return "(" + middle + chance.choice([")"] * 6 + ["\\)", "\\\\)", "", "))"])


def encoded(chance, text=None, *, whole=False, octets=None):
    """An RFC 2047 word; if it need not be whole, also one that is cut or has in it what may not stand there."""
    text = inside(chance) if text is None else text
    octets = octets or text.encode("latin-1")
    text = octets.decode("latin-1")
    if chance.random() < 0.4:
        how, word = chance.choice("bB"), base64.b64encode(octets).decode()
    elif whole or chance.random() < 0.7:
        how, word = chance.choice("qQ"), "".join(c if c.isascii() and c.isalnum() else "_" if c == " " else f"={ord(c):02X}" for c in text)
    else:
        how, word = chance.choice("qQbx"), text
    made = f"=?{chance.choice(CHARSETS)}?{how}?{word}?="
    return made if whole or chance.random() < 0.8 else made[: chance.randint(1, len(made))]


def quoted_local_part(chance):
    return chance.choice(["<{}@gp.test>", "{}@gp.test"]).format(quoted(chance))


def group(chance):
    return f"{atom(chance)}:{chance.choice([poison(chance), '', OWN])};"


def wrapped(chance, text):
    opening, closing = chance.choice([('"', '"'), ("(", ")"), ("<", ">"), ("[", "]"), ("=?utf-8?q?", "?="), ('"', '\\"'), ("(", "\\)"), ("'", "'")])
    return opening + text + closing


def tidied(field, chance):
    """The field as one that can stand in a header: no line end but a fold, octets alone, and mostly an own address at its end."""
    field = re.sub(r"\r\n(?![ \t])|\r(?!\n)|(?<!\r)\n|\0", "", field).strip(" \t\r\n")
    if OWN not in field and chance.random() < 0.8:
        field += f" <{OWN}>"
    return field or OWN


if __name__ == "__main__":
    sys.exit(main())
