"""Logs in as everybody in a file, with smtplib over TLS, a few at a time; says who was not let in."""

import smtplib
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor

authority, port, known = sys.argv[1], int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context(cafile=authority)


def log_in(line):
    user, password = line.rstrip("\n").split("\t")
    try:
        with smtplib.SMTP_SSL("localhost", port, context=context, timeout=60) as client:
            client.login(user, password)
        return None
    except (smtplib.SMTPException, OSError) as error:
        return f"{user}: {error!r}"


with open(known) as lines, ThreadPoolExecutor(8) as pool:
    failures = [failure for failure in pool.map(log_in, lines) if failure]
print("\n".join(failures))
sys.exit(1 if failures else 0)
