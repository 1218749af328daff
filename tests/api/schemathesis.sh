#!/usr/bin/env bash
# tests/api/schemathesis.sh [ARGUMENTS]: has schemathesis (PyPI, version 4) ask the API whatever its document allows, and whatever it does not, with a token of
# every scope, and sees that each answer is one that the document tells of. Not part of tests/run.
#
#     pip install 'schemathesis>=4,<5'
#     GATEPOST_BIN=target/debug/gatepost tests/api/schemathesis.sh --max-examples 20
#
# The account that is asked about by default is removed and made again as it goes; what is asked is in schemathesis' report.
set -euo pipefail
cd "$(dirname "$0")/../.."
gatepost=$(realpath "${GATEPOST_BIN:-target/debug/gatepost}")
schemathesis=${SCHEMATHESIS:-schemathesis}   # a path has to be absolute

directory=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$directory"' EXIT
cat >"$directory/gatepost.toml" <<TOML
hostname = "mail.example.org"
[storage]
url = "sqlite:$directory/store"
master_key_file = "$directory/master.key"
[[listen]]
address = "127.0.0.1:0"
tls = "off"
[delivery]
via = "hold"
[web]
base_url = "https://mail.example.org"
admin_needs_second_factor = false
page_rate = 100000
api_rate = 100000
[[web.listen]]
address = "127.0.0.1:0"
tls = "off"
TOML
run() { "$gatepost" --config "$directory/gatepost.toml" "$@"; }
run key generate "$directory/master.key" >/dev/null
printf 'correct horse' | run user add admin@example.org --admin --password-stdin --allow-weak >/dev/null
for address in alice@example.org bob@example.org; do
    printf 'correct horse' | run user add "$address" --password-stdin --allow-weak >/dev/null
    run app-password create "$address" --label phone >/dev/null
    run identity add "$address" '*@example.com' >/dev/null
done
run serve 2>"$directory/log" & server=$!
until grep -q event=ready "$directory/log"; do sleep 0.1; kill -0 "$server"; done
web=$(grep -o '127.0.0.1:[0-9]*/http' "$directory/log" | head -n 1)
scopes=(account:write messages:write accounts:write queue:write throttles:write limits:write audit:read)
token=$(run token create admin@example.org --label schemathesis "${scopes[@]/#/--scope=}" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
run web describe >"$directory/openapi.json"
# Two checks don't hold here. That whatever fits the schema is accepted: an account may be there already, a sender not be the account's, a key have been used.
# That a header that is missing is told by 400, 401, 403, 406 or 422: without If-Match it is 428 (RFC 6585 section 3).
cd "$directory" # where it leaves its cache
"$schemathesis" run openapi.json --url "http://${web%/http}" --header "Authorization: Bearer $token" --checks all \
    --exclude-checks positive_data_acceptance,missing_required_header "$@"
if grep -E 'event=(panic|web.unavailable)' "$directory/log"; then exit 1; fi
