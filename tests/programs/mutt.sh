#!/bin/sh
# mutt or neomutt, as somebody has it in ~/.muttrc and in cron: the first argument says which, the others are for it; the text is on
# standard input. By which mechanism it logs in it chooses itself, unless SMTP_AUTHENTICATORS names some.
program=$1
shift
[ "$SMTP_TLS" = implicit ] && scheme=smtps || scheme=smtp
scratch=${SCRATCH:-$(mktemp -d)}
user=$(printf %s "$SMTP_USER" | sed 's/@/%40/')
umask 077
cat >"$scratch/muttrc" <<MUTTRC
set smtp_url = "$scheme://$user@$SMTP_HOST:$SMTP_PORT/"
set smtp_pass = "$SMTP_PASSWORD"
set smtp_authenticators = "$SMTP_AUTHENTICATORS"
set ssl_starttls = yes
set ssl_force_tls = yes
set ssl_ca_certificates_file = "$SMTP_CA"
set certificate_file = "$scratch/certificates"
set from = "$SMTP_FROM"
set use_envelope_from = yes
set envelope_from_address = "$SMTP_FROM"
set realname = ""
set charset = "utf-8"
set send_charset = "us-ascii:utf-8"
set record = ""
set folder = "$scratch"
set spoolfile = "$scratch/inbox"
set tmpdir = "$scratch"
MUTTRC
"$program" -n -F "$scratch/muttrc" "$@"
sent=$?
[ -n "$SCRATCH" ] || rm -rf "$scratch"
exit "$sent"
