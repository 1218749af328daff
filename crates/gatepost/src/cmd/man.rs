//! `gatepost man`: a manual page for the command, each of its subcommands, and the configuration.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::CommandLine;

/// The reference of the configuration, which a test holds against the code.
const CONFIGURATION: &str = include_str!("../../../../config/gatepost.toml");

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the pages go; made if it isn't there
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Writes `gatepost.1`, `gatepost-user.1` and so on, and `gatepost.toml.5`.
///
/// # Errors
/// When the directory can't be made or written.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let write = || {
        std::fs::create_dir_all(&args.dir)?;
        clap_mangen::generate_to(CommandLine::command(), &args.dir)?;
        std::fs::write(args.dir.join("gatepost.toml.5"), configuration_page())
    };
    write().with_context(|| format!("cannot write the manual pages into {}", args.dir.display()))
}

/// The commented reference as a page of the manual, word for word.
fn configuration_page() -> String {
    let lines: String = CONFIGURATION.lines().map(roff_line).collect();
    format!(
        ".TH gatepost.toml 5\n.SH NAME\ngatepost.toml \\- the configuration of gatepost\n.SH DESCRIPTION\nEvery key, with its default \
         and what it does. Read from /etc/gatepost/gatepost.toml, unless \\-\\-config or GATEPOST_CONFIG names another file.\n\
         .SH REFERENCE\n.nf\n{lines}.fi\n.SH SEE ALSO\n.BR gatepost (1)\n"
    )
}

/// A line as it stands: no roff request, and hyphens that can be copied.
fn roff_line(line: &str) -> String {
    format!("\\&{}\n", line.replace('\\', "\\e").replace('-', "\\-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_the_configuration_has_every_line_of_the_reference() {
        let page = configuration_page();
        assert!(page.contains(".nf\n") && page.contains("hostname"), "{page}");
        for line in CONFIGURATION.lines() {
            assert!(page.contains(&roff_line(line)), "{line}");
        }
        assert_eq!(roff_line(".a-b\\'"), "\\&.a\\-b\\e'\n");
    }
}
