"""What is sent: texts that programs are known to make something awkward of."""

import dataclasses

BOB = "bob@example.net"


@dataclasses.dataclass(frozen=True)
class Letter:
    """A letter as its writer means it."""

    subject: str
    body: str
    to: tuple = (BOB,)
    # In the field To, if not all of them are.
    shown: tuple | None = None

    def written(self, user, *fields, end="\n"):
        """With a header written by hand, as scripts do: no MIME, no folds, no encoding."""
        header = [f"From: {user}", f"To: {', '.join(self.to if self.shown is None else self.shown)}", f"Subject: {self.subject}", *fields]
        return "\n".join([*header, "", self.body]).replace("\n", end)


PLAIN = Letter("Nightly report", "All is well.\n\n.\n..\n.hidden\nFrom here on\ntrailing  \n\ttab\n")
UMLAUTS = Letter("Größe der Sicherung: 3 €", "Grüße,\nes sind 3 € mehr.\n.\n– der Server\n")
JAPANESE = Letter("バックアップが完了しました", "サーバーからのお知らせ\n正常に終了しました。\n")
LONG_LINE = Letter("A line without an end", f"before\n{'word ' * 500}end\nafter\n")
LONG_UMLAUTS = Letter("Eine Zeile ohne Ende: ä", f"vorher\n{'Größe ' * 500}Ende\nnachher\n")
LONG_BLOB = Letter("A log", f"before\n{'x' * 5000}\nafter\n")
LONG_SUBJECT = Letter("Disk usage: " + "/srv/data/volume is full, " * 60 + "please look", "See above.\n")
LONG_UMLAUT_SUBJECT = Letter("Plattenplatz: " + "Größe von /srv überschritten, " * 50 + "Ende", "Siehe oben.\n")
MANY = Letter("To everybody", "Hello, all.\n", tuple(f"somebody.with.a.long.name.{number:03}@example.net" for number in range(150)))
HIDDEN = Letter("Not shown", "Nobody sees the others.\n", (BOB, "carol@example.net"), (BOB,))
HTML = Letter("Bericht ä", f"<html><body><p>{'Größe &amp; Zahl ' * 300}</p></body></html>\n")
EMPTY = Letter("No text at all", "")
