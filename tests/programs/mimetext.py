"""Python's smtplib: MIMEText as tutorials have it, or text with a header written by hand."""

import json
import os
import smtplib
import ssl
import sys
from email.mime.text import MIMEText

asked = json.load(sys.stdin)
host, port, sender = os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"]), os.environ["SMTP_FROM"]
context = ssl.create_default_context(cafile=os.environ["SMTP_CA"])
if os.environ["SMTP_TLS"] == "implicit":
    client = smtplib.SMTP_SSL(host, port, context=context)
else:
    client = smtplib.SMTP(host, port)
    client.starttls(context=context)
with client:
    client.login(os.environ["SMTP_USER"], os.environ["SMTP_PASSWORD"])
    if "message" in asked:
        # Of a text smtplib corrects the line ends, of octets it does not; but a text has to be ASCII.
        message = asked["message"]
        client.sendmail(sender, asked["to"], message if message.isascii() else message.encode())
    else:
        message = MIMEText(asked["body"], "plain", asked.get("charset"))
        message["Subject"] = asked["subject"]
        message["From"] = sender
        message["To"] = ", ".join(asked["to"])
        client.sendmail(sender, asked["to"], message.as_string())
