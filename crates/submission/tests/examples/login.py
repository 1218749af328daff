"""Logs in over STARTTLS by one mechanism and prints the code of the reply: login.py PORT MECHANISM NAME PASSWORD."""

import base64
import hashlib
import hmac
import secrets
import smtplib
import ssl
import sys

port, mechanism, name, password = sys.argv[1:]


def digest(key, text):
    return hmac.digest(key, text, "sha256")


def scram():
    """RFC 5802 section 3, without channel binding: what to say to each challenge."""
    ours = "n=" + name + ",r=" + secrets.token_hex(16)
    theirs = (yield "n,," + ours).decode()
    fields = dict(field.split("=", 1) for field in theirs.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
    final = "c=biws,r=" + fields["r"]
    messages = ",".join([ours, theirs, final]).encode()
    client_key = digest(salted, b"Client Key")
    signature = digest(hashlib.sha256(client_key).digest(), messages)
    proof = bytes(a ^ b for a, b in zip(client_key, signature))
    verifier = (yield final + ",p=" + base64.b64encode(proof).decode()).decode()
    expected = digest(digest(salted, b"Server Key"), messages)
    assert verifier == "v=" + base64.b64encode(expected).decode(), "the server does not know the password"
    yield ""


client = smtplib.SMTP("localhost", int(port))
client.starttls(context=ssl.create_default_context(cafile="certificate.pem"))
client.ehlo()
client.user, client.password = name, password
if mechanism == "SCRAM-SHA-256":
    exchange = scram()
    answer = lambda challenge: exchange.send(challenge or None)
    first = False
else:
    answer = getattr(client, "auth_" + mechanism.lower().replace("-", "_"))
    first = mechanism == "PLAIN"
try:
    code, _ = client.auth(mechanism, answer, initial_response_ok=first)
except smtplib.SMTPAuthenticationError as refused:
    code = refused.smtp_code
print(code)
client.quit()
