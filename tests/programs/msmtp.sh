#!/bin/sh
# msmtp as somebody has it in ~/.msmtprc: a sendmail for bsd-mailx and for scripts.
[ "$SMTP_TLS" = implicit ] && starttls=off || starttls=on
umask 077
cat >"$SCRATCH/msmtprc" <<END
account default
host $SMTP_HOST
port $SMTP_PORT
tls on
tls_starttls $starttls
tls_trust_file $SMTP_CA
auth on
user $SMTP_USER
password $SMTP_PASSWORD
from $SMTP_FROM
END
exec msmtp --file="$SCRATCH/msmtprc" "$@"
