#!/bin/sh
# bsd-mailx, through the sendmail of its first argument; the others are its own.
printf 'set sendmail=%s\n' "$(dirname "$0")/$1" >"$SCRATCH/mailrc"
shift
export MAILRC="$SCRATCH/mailrc" HOME="$SCRATCH"
for libraries in "$PROGRAMS"/usr/lib/*-linux-gnu; do export LD_LIBRARY_PATH="$libraries"; done
exec "$PROGRAMS/usr/bin/bsd-mailx" "$@"
