//! What the demo prints: commands that work when they are pasted into another terminal.

use std::net::SocketAddr;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use types::Secret;

/// What the commands need to know.
pub(super) struct Facts<'a> {
    pub(super) address: &'a str,
    pub(super) password: &'a str,
    /// Where the pages are, if they are served.
    pub(super) pages: Option<&'a str>,
    pub(super) account_password: &'a Secret,
    pub(super) administrator: &'a str,
    pub(super) administrator_password: &'a Secret,
    pub(super) starttls: SocketAddr,
    pub(super) implicit: SocketAddr,
    pub(super) ca: &'a Path,
    pub(super) outbox: &'a Path,
    pub(super) log: &'a Path,
    /// This program.
    pub(super) command: &'a Path,
    pub(super) configuration: &'a Path,
}

const RECIPIENT: &str = "friend@example.test";

pub(super) fn text(facts: &Facts<'_>) -> String {
    let Facts { address, password, starttls, implicit, .. } = facts;
    let (ca, new) = (quoted(facts.ca), quoted(&facts.outbox.join("new")));
    let (openssl_starttls, openssl_implicit) =
        (openssl(facts, *starttls, "-starttls smtp "), openssl(facts, *implicit, ""));
    let pages = pages(facts);
    let (curl, swaks) = (curl(facts), swaks(facts));
    let (log, command, configuration) =
        (quoted(facts.log), quoted(facts.command), quoted(facts.configuration));
    format!(
        "\
Gatepost serves {starttls} (STARTTLS) and {implicit} (implicit TLS). Ctrl-C stops it.

  user      {address}
  password  {password}   (an app password; the next start makes another)
  CA        {ca}
  log       {log}

{pages}Work on its accounts and its queue with (and so with every other command):
  {command} --config {configuration} user list

Paste any of these into another terminal. Each sends a message, which you find with:
  cat {new}/*

openssl, implicit TLS:
{openssl_implicit}

openssl, STARTTLS:
{openssl_starttls}

curl:
{curl}

swaks:
{swaks}
"
    )
}

/// Where to sign in with what.
fn pages(facts: &Facts<'_>) -> String {
    let Facts { address, administrator, .. } = facts;
    let [password, administrator_password] = [facts.account_password, facts.administrator_password]
        .map(|password| password.declassify_str().unwrap_or_default());
    let pages = facts.pages.map(|pages| {
        format!(
            "Look after the account, or administer, in a browser:
  pages     {pages}
  address   {address}
  password  {password}   (the account password; the next start makes another)
  address   {administrator}
  password  {administrator_password}   (an administrator's, likewise)

"
        )
    });
    pages.unwrap_or_default()
}

/// A person at a keyboard, played by a loop: what is sent before the server has asked for it would be refused.
fn openssl(facts: &Facts<'_>, server: SocketAddr, starttls: &str) -> String {
    let Facts { address, ca, .. } = facts;
    let (plain, port, ca) = (auth_plain(facts), server.port(), quoted(ca));
    format!(
        "  for line in 'EHLO localhost' 'AUTH PLAIN {plain}' \\
      'MAIL FROM:<{address}>' 'RCPT TO:<{RECIPIENT}>' DATA \\
      'From: {address}' 'Subject: by openssl' '' 'Hello.' . QUIT
  do sleep 0.3; echo \"$line\"; done |
  openssl s_client {starttls}-connect localhost:{port} -servername localhost \\
      -CAfile {ca} -verify_return_error -verify_hostname localhost -crlf -quiet"
    )
}

fn curl(facts: &Facts<'_>) -> String {
    let Facts { address, password, starttls, ca, .. } = facts;
    let (port, ca) = (starttls.port(), quoted(ca));
    format!(
        "  printf 'From: {address}\\r\\nSubject: by curl\\r\\n\\r\\nHello.\\r\\n' |
  curl --url smtp://localhost:{port} --ssl-reqd --cacert {ca} \\
      --user '{address}:{password}' \\
      --mail-from {address} --mail-rcpt {RECIPIENT} --upload-file -"
    )
}

fn swaks(facts: &Facts<'_>) -> String {
    let Facts { address, password, implicit, ca, .. } = facts;
    let (port, ca) = (implicit.port(), quoted(ca));
    format!(
        "  swaks --server localhost --port {port} --tls-on-connect --tls-verify --tls-ca-path {ca} \\
      --auth PLAIN --auth-user {address} --auth-password {password} \\
      --from {address} --to {RECIPIENT} --header 'Subject: by swaks'"
    )
}

/// RFC 4616 section 2: authorization identity (none), NUL, user, NUL, password.
fn auth_plain(facts: &Facts<'_>) -> String {
    BASE64.encode(format!("\0{}\0{}", facts.address, facts.password))
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,@%".contains(c);
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_any_path() {
        assert_eq!(quoted(Path::new("/tmp/gatepost-demo/ca.pem")), "/tmp/gatepost-demo/ca.pem");
        assert_eq!(quoted(Path::new("/tmp/it's mine")), r"'/tmp/it'\''s mine'");
    }

    #[test]
    fn the_auth_line_is_that_of_rfc_4616() {
        let facts = Facts {
            address: "tim",
            password: "tanstaaftanstaaf",
            pages: None,
            account_password: &Secret::new(""),
            administrator: "",
            administrator_password: &Secret::new(""),
            starttls: ([127, 0, 0, 1], 2587).into(),
            implicit: ([127, 0, 0, 1], 2465).into(),
            ca: Path::new("ca.pem"),
            outbox: Path::new("outbox"),
            log: Path::new("gatepost.log"),
            command: Path::new("gatepost"),
            configuration: Path::new("gatepost.toml"),
        };
        assert_eq!(auth_plain(&facts), "AHRpbQB0YW5zdGFhZnRhbnN0YWFm");
    }
}
