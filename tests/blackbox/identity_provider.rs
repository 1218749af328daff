//! A real OpenID provider, npm's oidc-provider: `tests/oidc/provider.mjs` has what it is told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tests::programs::modules;
use tests::server::{run, text};

pub(crate) const AUDIENCE: &str = "https://mail.example.org";
pub(crate) const SCOPE: &str = "mail.send";

pub(crate) struct IdentityProvider {
    child: Child,
    told: ChildStdin,
    heard: BufReader<ChildStdout>,
    _directory: TempDir,
    pub(crate) issuer: String,
}

impl IdentityProvider {
    pub(crate) fn start() -> Self {
        let directory = TempDir::with_prefix("gatepost-oidc-").unwrap();
        let script = directory.path().join("provider.mjs");
        std::fs::write(&script, include_str!("../oidc/provider.mjs")).unwrap();
        std::os::unix::fs::symlink(modules("oidc"), directory.path().join("node_modules")).unwrap();
        let mut node = Command::new("node");
        node.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = node.spawn().unwrap();
        let (told, heard) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut provider = Self { child, told, heard, _directory: directory, issuer: String::new() };
        provider.issuer = provider.line();
        provider
    }

    /// Throws its key away and makes another.
    pub(crate) fn rotate(&mut self) {
        self.tell("rotate");
    }

    pub(crate) fn go_down(&mut self) {
        self.tell("down");
    }

    pub(crate) fn come_up(&mut self) {
        self.tell("up");
    }

    fn tell(&mut self, what: &str) {
        writeln!(self.told, "{what}").unwrap();
        assert_eq!(self.line(), "done");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.heard.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the provider has ended");
        line.trim_end().to_owned()
    }

    /// An access token for mail, of this user.
    pub(crate) fn token(&self, user: &str) -> String {
        text(&self.tokens(user, &[]), "access_token")
    }

    /// The tokens of this user, with other wishes than usual.
    pub(crate) fn tokens(&self, user: &str, wishes: &[&str]) -> Value {
        let user = format!("username={user}");
        let scope = format!("scope=openid {SCOPE}");
        // The last of two wishes would not win: the provider refuses both.
        let scope =
            if wishes.iter().any(|wish| wish.starts_with("scope=")) { None } else { Some(scope.as_str()) };
        let mut form = vec!["grant_type=password", &user];
        form.extend(scope.into_iter().chain(wishes.iter().copied()));
        self.post("/token", &form)
    }

    /// The keys that it publishes.
    pub(crate) fn keys(&self) -> Value {
        let output =
            run(Command::new("curl").args(["--silent", "--fail"]).arg(format!("{}/jwks", self.issuer)), "");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) fn post(&self, path: &str, form: &[&str]) -> Value {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail-with-body", "--user", "laptop:secret of laptop"]);
        curl.arg(format!("{}{path}", self.issuer));
        for field in form {
            curl.args(["--data-urlencode", field]);
        }
        let output = run(&mut curl, "");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{form:?}: {said}");
        serde_json::from_str(&said).unwrap_or_default()
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        // It may have ended already, and that is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
