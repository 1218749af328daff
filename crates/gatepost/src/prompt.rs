//! What is asked of the person at the terminal, or read from a pipe in their stead.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use anyhow::{Context as _, bail};
use auth::new_password;
use desk::{Chosen, Strength};
use types::Secret;
use zeroize::Zeroizing;

/// How a new password is given. Never as an argument: arguments are seen by everyone on the machine.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct NewPassword {
    /// Read the password from standard input, one line
    #[arg(long)]
    password_stdin: bool,
    /// Make a good password and print it, once
    #[arg(long, conflicts_with = "password_stdin")]
    generate: bool,
    /// Take a password that is short or easy to guess, too
    #[arg(long, conflicts_with = "generate")]
    allow_weak: bool,
}

/// A new password, as it was given.
pub(crate) struct Given {
    pub(crate) chosen: Chosen,
    /// Nobody has seen it yet.
    generated: bool,
}

impl Given {
    /// The password, if nobody has seen it yet.
    pub(crate) fn to_show(&self) -> Option<&str> {
        self.chosen.secret.declassify_str().filter(|_| self.generated)
    }
}

impl NewPassword {
    /// The password, or `None` if there is nobody to ask or they gave none.
    ///
    /// # Errors
    /// When it can't be read.
    pub(crate) fn read(self) -> anyhow::Result<Option<Given>> {
        if !self.password_stdin && !self.generate && !at_terminal() {
            return Ok(None);
        }
        let given = self.given("Password (empty: app passwords only)")?;
        let is_none = given.chosen.secret.declassify().is_empty() && !self.password_stdin;
        Ok((!is_none).then_some(given))
    }

    /// The password, which there must be.
    ///
    /// # Errors
    /// When it can't be read, or there is nobody to ask.
    pub(crate) fn require(self) -> anyhow::Result<Given> {
        if !self.password_stdin && !self.generate && !at_terminal() {
            bail!("no password was given; pass --password-stdin or --generate");
        }
        self.given("New password")
    }

    fn given(self, prompt: &str) -> anyhow::Result<Given> {
        if self.generate {
            let chosen = Chosen { secret: new_password::generate(), strength: Strength::Any };
            return Ok(Given { chosen, generated: true });
        }
        let octets = match self.password_stdin {
            true => line_of(io::stdin().lock())?,
            false => typed(dialoguer::Password::new().with_prompt(prompt))?,
        };
        let strength = if self.allow_weak { Strength::Any } else { Strength::Good };
        Ok(Given { chosen: Chosen { secret: Secret::new(octets.to_vec()), strength }, generated: false })
    }
}

/// How a password is given that there is already.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct GivenPassword {
    /// Read the password from standard input, one line
    #[arg(long)]
    password_stdin: bool,
}

impl GivenPassword {
    /// Whether it comes from standard input.
    pub(crate) fn is_piped(self) -> bool {
        self.password_stdin
    }

    /// The password.
    ///
    /// # Errors
    /// When there is nobody to ask, it can't be read, or no mail program could send it.
    pub(crate) fn read(self) -> anyhow::Result<Secret> {
        self.read_for("Password")
    }

    /// The password; who is at a terminal is asked for it with these words.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn read_for(self, prompt: &str) -> anyhow::Result<Secret> {
        if self.password_stdin {
            return from_pipe(io::stdin().lock());
        }
        if !at_terminal() {
            bail!("no password was given; pass --password-stdin");
        }
        let typed = dialoguer::Password::new().with_prompt(prompt).interact();
        fit(&Zeroizing::new(typed.context("cannot read the password")?.into_bytes()))
    }
}

/// What somebody typed twice.
fn typed(prompt: dialoguer::Password<'_>) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let prompt = prompt.with_confirmation("The same again", "These two differ.").allow_empty_password(true);
    let typed = prompt.interact().context("cannot read the password")?;
    Ok(Zeroizing::new(typed.into_bytes()))
}

/// Asks before something is gone for good.
///
/// # Errors
/// When nobody is there to ask, or they said no.
pub(crate) fn confirm(question: &str, yes: bool) -> anyhow::Result<()> {
    if yes { Ok(()) } else { ask(question, "--yes") }
}

/// Asks a question that `instead` on the command line would have answered.
///
/// # Errors
/// When nobody is there to ask, or they said no.
pub(crate) fn ask(question: &str, instead: &str) -> anyhow::Result<()> {
    if !at_terminal() {
        bail!("nothing is done: this asks first, and there is no terminal to ask on; pass {instead}");
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).context("cannot read the answer")?;
    if matches!(answer.trim(), "y" | "Y" | "yes" | "Yes") { Ok(()) } else { bail!("nothing is done") }
}

/// Somebody can be asked, and sees the question.
fn at_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn from_pipe(pipe: impl io::Read) -> anyhow::Result<Secret> {
    fit(&line_of(pipe)?)
}

/// One line, without its end if it has one.
fn line_of(pipe: impl io::Read) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let mut octets = Zeroizing::new(Vec::with_capacity(auth::PASSWORD_OCTETS + 4));
    let most = u64::try_from(auth::PASSWORD_OCTETS + 3)?;
    pipe.take(most).read_to_end(&mut octets).context("cannot read the password from standard input")?;
    if octets.last() == Some(&b'\n') {
        octets.pop();
    }
    if octets.last() == Some(&b'\r') {
        octets.pop();
    }
    Ok(octets)
}

fn fit(octets: &[u8]) -> anyhow::Result<Secret> {
    desk::fit(octets)?;
    Ok(Secret::new(octets.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(piped: &[u8]) -> Option<Vec<u8>> {
        from_pipe(piped).ok().map(|secret| secret.declassify().to_vec())
    }

    #[test]
    fn a_line_with_any_end_or_none_is_the_password() {
        for piped in ["secret", "secret\n", "secret\r\n"] {
            assert_eq!(read(piped.as_bytes()).unwrap(), b"secret");
        }
        assert_eq!(read(b" spaces count \n").unwrap(), b" spaces count ");
        assert_eq!(read(b"x").unwrap(), b"x");
    }

    #[test]
    fn what_no_client_could_send_is_refused() {
        for piped in [&b""[..], b"\n", b"\r\n", b"two\nlines\n", b"nul\0", b"caf\xe9"] {
            assert!(read(piped).is_none(), "{piped:?}");
        }
    }

    #[test]
    fn the_longest_password_is_taken_and_one_octet_more_is_not() {
        let line = |octets: usize| [vec![b'x'; octets], b"\r\n".to_vec()].concat();
        assert_eq!(read(&line(auth::PASSWORD_OCTETS)).unwrap().len(), auth::PASSWORD_OCTETS);
        assert!(read(&line(auth::PASSWORD_OCTETS + 1)).is_none());
        assert!(read(&line(1_000_000)).is_none());
    }
}
