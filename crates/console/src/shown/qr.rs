//! QR codes as paths of an SVG, which needs no inline style and no picture.

use qrcode::{Color, EcLevel, QrCode};

/// Light modules around a code that scanners need.
const QUIET: usize = 4;

/// A QR code: the side of its square, and a path that draws its dark modules.
#[derive(Debug)]
pub(crate) struct Qr {
    pub(crate) side: usize,
    pub(crate) path: String,
}

impl Qr {
    /// The code of this text; `None` if that is longer than any code.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let width = code.width();
        let mut path = String::new();
        for (at, color) in code.to_colors().into_iter().enumerate() {
            if color == Color::Dark {
                path.push_str(&format!("M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET));
            }
        }
        Some(Self { side: width + 2 * QUIET, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_begins_with_its_first_corner_behind_the_quiet_zone() {
        let qr = Qr::of("otpauth://totp/x").unwrap();
        assert!(qr.path.starts_with("M4 4h1v1h-1zM5 4h1v1h-1z"), "{}", qr.path);
        assert!(qr.side >= 29 && qr.path.matches('M').count() > 100);
        assert!(Qr::of(&"x".repeat(4_000)).is_none());
    }
}
