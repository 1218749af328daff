#!/usr/bin/env python3
"""Sends mail with the programs that people use, in the ways that they use them; README.md tells how it is used.

    tests/programs/send.py list              the names of all sendings
    tests/programs/send.py send [NAME ...]   sends these, or all, several at once; the server is told by SMTP_HOST and so on
    tests/programs/send.py judge FILE        compares what arrived with what was meant
"""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable

import letters
from judge import differences
from letters import Letter

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Sending:
    """A program and a letter."""

    letter: Letter
    command: Callable  # from the letter and the user to the command line
    text: Callable = lambda letter, user: letter.body  # to its standard input
    tls: str = "implicit"
    # Whether it wants a server with `bare_line_ends = "repair"`.
    bare: bool = False


# Programs that wait for the server, most of the time.
AT_ONCE = 8


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["list", "send", "judge"])
    parser.add_argument("of", nargs="*")
    options = parser.parse_args()
    if options.what == "list":
        print(json.dumps({name: {"tls": sending.tls, "bare": sending.bare} for name, sending in SENDINGS.items()}))
    elif options.what == "send":
        send_all(options.of or SENDINGS)
    else:
        sys.exit(judge(pathlib.Path(options.of[0])))


def send_all(names):
    """Prints a line of JSON for each: as whom it was sent, to how many, and why it was not, if so."""
    with tempfile.TemporaryDirectory(prefix="gatepost-programs-") as scratch:
        os.environ["GOMAIL"] = f"{scratch}/gomail"
        if any(SENDINGS[name].command is go for name in names):
            subprocess.run(["go", "build", "-o", os.environ["GOMAIL"], HERE / "gomail.go"], check=True)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for sent in pool.map(send, names):
                print(json.dumps(sent))


def send(name):
    sending, sender = SENDINGS[name], own_sender(name)
    with tempfile.TemporaryDirectory(prefix="gatepost-programs-") as scratch:
        # Of the locale of a cron job and of a container; a program that looks for one finds UTF-8.
        environment = {**os.environ, "SCRATCH": scratch, "HERE": str(HERE), "LC_ALL": "C.UTF-8"}
        environment |= {"SMTP_TLS": sending.tls, "SMTP_PORT": port(sending), "SMTP_FROM": sender, "SSL_CERT_FILE": os.environ["SMTP_CA"]}
        command = sending.command(sending.letter, sender)
        text = sending.text(sending.letter, sender).encode()
        done = subprocess.run(command, input=text, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=scratch)
    said = done.stdout.decode(errors="replace").splitlines()[-3:]
    return {"name": name, "sender": sender, "recipients": len(sending.letter.to), "failed": " / ".join(said) if done.returncode else None}


def own_sender(name):
    """The user's address with a tag, by which what arrives is told from the rest."""
    local_part, domain = os.environ["SMTP_USER"].split("@")
    tag = re.sub("[^a-z0-9]+", "-", name.lower())
    return f"{local_part}+{tag}@{domain}"


def port(sending):
    return os.environ["SMTP_PORT" if sending.tls == "implicit" else "SMTP_PORT_STARTTLS"]


def judge(file):
    """Prints what is not as it was meant; `file` has lines of JSON, each with what arrived of one sending."""
    problems = 0
    for line in file.read_text().splitlines():
        arrived = json.loads(line)
        for difference in differences(arrived, SENDINGS[arrived["name"]].letter):
            print(f"{arrived['name']} (next host: {' '.join(arrived['next']) or 'neither extension'}): {difference}")
            problems += 1
    return 1 if problems else 0


def shell(script, *arguments):
    return lambda letter, user: [HERE / script, *(a for argument in arguments for a in expanded(argument, letter, user))]


def expanded(argument, letter, user):
    """The arguments in which a word stands for something of the letter."""
    if argument == "TO":
        return letter.to
    return [{"SUBJECT": letter.subject, "USER": user}.get(argument, argument)]


def asked(**more):
    """For the scripts that read JSON: the letter in its parts."""
    return lambda letter, user: json.dumps({"to": letter.to, "subject": letter.subject, "body": letter.body, **more})


def by_hand(*fields, end="\n", **more):
    """As asked(), but the message is ready."""
    return lambda letter, user: json.dumps({"to": letter.to, "message": letter.written(user, *fields, end=end), **more})


def file(*fields, end="\n"):
    """The message itself."""
    return lambda letter, user: letter.written(user, *fields, end=end)


def run(*command):
    return lambda letter, user: [part.replace("HERE", str(HERE)) for part in command]


def swaks(*more):
    def command(letter, user):
        port = os.environ["SMTP_PORT" if "--tls-on-connect" in more else "SMTP_PORT_STARTTLS"]
        server = ["--server", os.environ["SMTP_HOST"], "--port", port, "--tls-ca-path", os.environ["SMTP_CA"], "--tls-verify"]
        login = ["--auth-user", os.environ["SMTP_USER"], "--auth-password", os.environ["SMTP_PASSWORD"], "--silent", "2"]
        text = ["--from", user, "--to", ",".join(letter.to), "--header", f"Subject: {letter.subject}", "--body", letter.body]
        return ["swaks", *server, *login, *text, *more]

    return command


def curl(scheme, *more):
    def command(letter, user):
        port = os.environ["SMTP_PORT" if scheme == "smtps" else "SMTP_PORT_STARTTLS"]
        url = f"{scheme}://{os.environ['SMTP_HOST']}:{port}"
        login = ["--cacert", os.environ["SMTP_CA"], "--user", f"{os.environ['SMTP_USER']}:{os.environ['SMTP_PASSWORD']}", "--ssl-reqd"]
        envelope = ["--mail-from", user, *(part for to in letter.to for part in ("--mail-rcpt", to))]
        return ["curl", "--silent", "--show-error", "--url", url, *login, *envelope, *more]

    return command


def curl_form(letter, user):
    fields = [f"From: {user}", f"To: {letter.to[0]}", f"Subject: {letter.subject}"]
    parts = ["-F", "=(;type=multipart/mixed", "-F", f"={letter.body};type=text/plain", "-F", "=)"]
    return curl("smtps", *parts, *(part for field in fields for part in ("-H", field)))(letter, user)


def go(letter, user):
    return [os.environ["GOMAIL"]]


def mailx(sendmail, *more):
    return shell("bsd-mailx.sh", sendmail, "-s", "SUBJECT", *more, "TO")


def mutt(program):
    return shell("mutt.sh", program, "-s", "SUBJECT", "--", "TO")


NODE = run("node", "HERE/nodemailer.cjs")
PERL = run("perl", "HERE/net-smtp.pl")
SENDER = run("perl", "HERE/net-smtp.pl", "--sender")
PHP = run("php", "HERE/phpmailer.php")
PYTHON = run(sys.executable, "HERE/mimetext.py")
UTF8 = ("MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit")

SENDINGS = {
    "bsd-mailx through msmtp": Sending(letters.PLAIN, mailx("msmtp.sh")),
    "bsd-mailx through msmtp, umlauts": Sending(letters.UMLAUTS, mailx("msmtp.sh"), tls="starttls"),
    "bsd-mailx through msmtp, Japanese": Sending(letters.JAPANESE, mailx("msmtp.sh")),
    "bsd-mailx through msmtp, a long line": Sending(letters.LONG_UMLAUTS, mailx("msmtp.sh")),
    "bsd-mailx through msmtp, no text": Sending(letters.EMPTY, mailx("msmtp.sh")),
    "bsd-mailx through nullmailer": Sending(letters.PLAIN, mailx("nullmailer.sh"), tls="starttls"),
    "bsd-mailx through nullmailer, umlauts": Sending(letters.UMLAUTS, mailx("nullmailer.sh")),
    "bsd-mailx through nullmailer, 150 recipients": Sending(letters.MANY, mailx("nullmailer.sh")),
    "bsd-mailx through nullmailer, a long subject": Sending(letters.LONG_SUBJECT, mailx("nullmailer.sh")),
    "msmtp -t": Sending(letters.PLAIN, shell("msmtp.sh", "-t"), file()),
    "msmtp -t, umlauts": Sending(letters.UMLAUTS, shell("msmtp.sh", "-t"), file(), "starttls"),
    "msmtp, no header but a subject": Sending(letters.UMLAUTS, shell("msmtp.sh", "TO"), lambda letter, user: f"Subject: {letter.subject}\nTo: {letter.to[0]}\n\n{letter.body}"),
    "msmtp -t, a long line": Sending(letters.LONG_BLOB, shell("msmtp.sh", "-t"), file()),
    "msmtp -t, 150 recipients in a line": Sending(letters.MANY, shell("msmtp.sh", "-t"), file()),
    "mutt": Sending(letters.PLAIN, mutt("mutt")),
    "mutt, umlauts": Sending(letters.UMLAUTS, mutt("mutt"), tls="starttls"),
    "mutt, a long line": Sending(letters.LONG_UMLAUTS, mutt("mutt")),
    "neomutt": Sending(letters.PLAIN, mutt("neomutt"), tls="starttls"),
    "neomutt, umlauts": Sending(letters.UMLAUTS, mutt("neomutt")),
    "neomutt, Japanese": Sending(letters.JAPANESE, mutt("neomutt")),
    "nullmailer-inject, a long subject in UTF-8": Sending(letters.LONG_UMLAUT_SUBJECT, shell("nullmailer.sh"), file()),
    "nullmailer-inject, a long line": Sending(letters.LONG_UMLAUTS, shell("nullmailer.sh"), file(*UTF8), "starttls"),
    "swaks": Sending(letters.PLAIN, swaks("--tls-on-connect")),
    "swaks, umlauts": Sending(letters.UMLAUTS, swaks("--tls"), tls="starttls"),
    "swaks, a long line": Sending(letters.LONG_LINE, swaks("--tls-on-connect")),
    "swaks, an attachment": Sending(letters.UMLAUTS, swaks("--tls-on-connect", "--attach", "@/etc/hostname")),
    "curl": Sending(letters.PLAIN, curl("smtps", "--crlf", "--upload-file", "-"), file()),
    "curl, umlauts": Sending(letters.UMLAUTS, curl("smtp", "--upload-file", "-"), file(end="\r\n"), "starttls"),
    "curl, a long line": Sending(letters.LONG_UMLAUTS, curl("smtps", "--upload-file", "-"), file(*UTF8, end="\r\n")),
    "curl, a form": Sending(letters.UMLAUTS, curl_form, lambda letter, user: "", bare=True),
    "nodemailer, raw": Sending(letters.PLAIN, NODE, by_hand()),
    "nodemailer, raw, umlauts": Sending(letters.UMLAUTS, NODE, by_hand(*UTF8, end="\r\n"), "starttls"),
    "nodemailer, raw, no MIME": Sending(letters.JAPANESE, NODE, by_hand(end="\r\n", bit8=True)),
    "nodemailer, raw, a long line": Sending(letters.LONG_BLOB, NODE, by_hand(*UTF8)),
    "Go net/smtp": Sending(letters.PLAIN, go, by_hand(end="\r\n"), "starttls"),
    "Go net/smtp, umlauts": Sending(letters.UMLAUTS, go, by_hand(*UTF8, end="\r\n"), "starttls"),
    "Go net/smtp, no MIME": Sending(letters.JAPANESE, go, by_hand(end="\r\n")),
    "Go net/smtp, bare line feeds": Sending(letters.UMLAUTS, go, by_hand()),
    "Go net/smtp, 150 recipients": Sending(letters.MANY, go, by_hand(end="\r\n")),
    "Go net/smtp, HTML in a line": Sending(letters.HTML, go, by_hand("MIME-Version: 1.0", "Content-Type: text/html; charset=UTF-8", end="\r\n")),
    "Python MIMEText": Sending(letters.PLAIN, PYTHON, asked(charset="us-ascii")),
    "Python MIMEText, umlauts": Sending(letters.UMLAUTS, PYTHON, asked(charset="utf-8"), "starttls"),
    "Python MIMEText, a long line": Sending(letters.LONG_BLOB, PYTHON, asked(charset="us-ascii")),
    "Python MIMEText, a long subject": Sending(letters.LONG_SUBJECT, PYTHON, asked(charset="us-ascii")),
    "Python MIMEText, 150 recipients": Sending(letters.MANY, PYTHON, asked(charset="utf-8")),
    "Python sendmail, no MIME": Sending(letters.UMLAUTS, PYTHON, by_hand(end="\r\n")),
    # Of octets smtplib doubles each dot behind a line feed, which is no line's beginning for the server: there is none in this letter.
    "Python sendmail, bare line feeds": Sending(letters.JAPANESE, PYTHON, by_hand(), bare=True),
    "curl, bare line feeds": Sending(letters.PLAIN, curl("smtps", "--upload-file", "-"), file(), bare=True),
    "Python sendmail, a subject alone": Sending(dataclasses.replace(letters.PLAIN, shown=()), PYTHON, lambda letter, user: json.dumps({"to": letter.to, "message": f"Subject: {letter.subject}\n\n{letter.body}"})),
    "Python sendmail, hidden recipients": Sending(letters.HIDDEN, PYTHON, by_hand("Bcc: carol@example.net")),
    "PHPMailer": Sending(letters.PLAIN, PHP, asked()),
    "PHPMailer, umlauts": Sending(letters.UMLAUTS, PHP, asked(name="Der Büro-Server"), "starttls"),
    "PHPMailer, a long line": Sending(letters.LONG_UMLAUTS, PHP, asked()),
    "PHPMailer, 150 recipients": Sending(letters.MANY, PHP, asked()),
    "Perl Net::SMTP": Sending(letters.PLAIN, PERL, by_hand()),
    "Perl Net::SMTP, umlauts": Sending(letters.UMLAUTS, PERL, by_hand(), "starttls"),
    "Perl Net::SMTP, a long line": Sending(letters.LONG_LINE, PERL, by_hand()),
    "Perl Net::SMTP, a long subject in UTF-8": Sending(letters.LONG_UMLAUT_SUBJECT, PERL, by_hand()),
    "Perl Email::Sender": Sending(letters.UMLAUTS, SENDER, by_hand(*UTF8)),
    "Perl Email::Sender, 150 recipients": Sending(letters.MANY, SENDER, by_hand(), "starttls"),
}

if __name__ == "__main__":
    main()
