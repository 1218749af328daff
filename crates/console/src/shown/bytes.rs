//! Sizes.

/// A size in octets as people say it.
pub(crate) fn size(octets: u64) -> String {
    match octets {
        ..1_000 => format!("{octets} B"),
        1_000..1_000_000 => format!("{} kB", (octets + 500) / 1_000),
        1_000_000..1_000_000_000 => format!("{}.{} MB", octets / 1_000_000, octets % 1_000_000 / 100_000),
        _ => format!("{}.{} GB", octets / 1_000_000_000, octets % 1_000_000_000 / 100_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_in_the_unit_that_fits() {
        for (octets, expected) in [
            (999, "999 B"),
            (1_499, "1 kB"),
            (34_567, "35 kB"),
            (2_349_999, "2.3 MB"),
            (71_460_000_000, "71.4 GB"),
        ] {
            assert_eq!(size(octets), expected);
        }
    }
}
