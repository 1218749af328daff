//! QR codes for a terminal: two modules to a character, so that each is square.
//!
//! Light modules are drawn, dark ones left out, which is right on a dark screen. Where colours are to be had they
//! are set, so that a light screen shows the same.

use anyhow::Context as _;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// White on black, of the 256 colours whose look no theme changes.
const WHITE_ON_BLACK: &str = "\u{1b}[38;5;231;48;5;16m";
const PLAIN: &str = "\u{1b}[0m";

/// The QR code of this text, with the quiet zone that scanners need around it.
///
/// # Errors
/// When the text is longer than any QR code.
pub(crate) fn drawn(text: &str, colour: bool) -> anyhow::Result<String> {
    // The least correction makes the smallest code; a screen has no stains.
    let code =
        QrCode::with_error_correction_level(text, EcLevel::L).context("cannot make a QR code of it")?;
    // To the crate, dark is what is drawn.
    let drawn =
        code.render().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).quiet_zone(true).build();
    Ok(if colour { coloured(&drawn) } else { drawn })
}

fn coloured(drawn: &str) -> String {
    let lines: Vec<_> = drawn.lines().map(|line| format!("{WHITE_ON_BLACK}{line}{PLAIN}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_zone_of_four_light_modules_is_all_around() {
        let drawn = drawn("otpauth://totp/x", false).unwrap();
        let lines: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
        // Version 1: 21 modules and twice 4, two of them in a line.
        assert!(lines.iter().all(|line| line.len() == 29) && lines.len() == 15, "{drawn}");
        for line in &lines {
            assert!(line[..4].iter().chain(&line[25..]).all(|half| matches!(half, '█' | '▀')), "{drawn}");
        }
        assert!(lines[..2].iter().flatten().all(|half| *half == '█'), "{drawn}");
        // The first corner: seven dark modules, a ring of light ones in it, three dark ones.
        assert_eq!(lines[2][4..12].iter().collect::<String>(), " ▄▄▄▄▄ █");
    }

    #[test]
    fn colours_begin_and_end_in_each_line() {
        let (plain, coloured) = (drawn("x", false).unwrap(), drawn("x", true).unwrap());
        assert!(coloured.lines().all(|line| line.starts_with(WHITE_ON_BLACK) && line.ends_with(PLAIN)));
        assert_eq!(coloured.replace(WHITE_ON_BLACK, "").replace(PLAIN, ""), plain);
    }

    #[test]
    fn what_is_too_long_is_an_error() {
        assert!(drawn(&"x".repeat(3_000), false).is_err());
    }
}
