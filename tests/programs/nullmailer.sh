#!/bin/sh
# nullmailer as a sendmail: what nullmailer-inject makes of the text, carried by its smtp as nullmailer-send does it, but now and
# from here, not from /var/spool/nullmailer.
[ "$SMTP_TLS" = implicit ] && tls=tls || tls=starttls
export NULLMAILER_USER="${SMTP_FROM%@*}" NULLMAILER_HOST="${SMTP_FROM#*@}" HELOHOST="${SMTP_FROM#*@}"
while [ $# -gt 0 ]; do
    # The options of sendmail that nullmailer-inject does not have.
    case $1 in -i | -t) shift ;; *) break ;; esac
done
"$PROGRAMS/usr/bin/nullmailer-inject" -n -v "$@" >"$SCRATCH/mail" || exit
printf '%s\n' "host=$SMTP_HOST" "port=$SMTP_PORT" "user=$SMTP_USER" "pass=$SMTP_PASSWORD" "$tls" "x509cafile=$SMTP_CA" '' |
    "$PROGRAMS/usr/lib/nullmailer/smtp" 3<"$SCRATCH/mail"
