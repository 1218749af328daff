//! Numbers of lines: the reader of CSV counts neither blank ones nor those that end with CRLF as people do.

/// Counts the lines of a file up to places that are asked for in their order.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    rest: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(octets: &'a [u8]) -> Lines<'a> {
        Lines { rest: octets, at: 0, line: 1 }
    }

    /// The number, from 1, of the line in which the first octet stands that ends no line, from this place on.
    pub(crate) fn number(&mut self, place: usize) -> u64 {
        while let [first, rest @ ..] = self.rest
            && (self.at < place || matches!(first, b'\r' | b'\n'))
        {
            let ends = *first == b'\n' || (*first == b'\r' && rest.first() != Some(&b'\n'));
            self.line += u64::from(ends);
            (self.rest, self.at) = (rest, self.at + 1);
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        for (text, place, line) in [
            ("a\nb\n", 0, 1),
            ("a\nb\n", 2, 2),
            ("a\r\nb", 2, 2),
            ("a\r\n\r\n\nb", 1, 4),
            ("a\rb\rc", 4, 3),
            ("a\n", 99, 2),
        ] {
            assert_eq!(Lines::of(text.as_bytes()).number(place), line, "{text:?} {place}");
        }
        let mut lines = Lines::of(b"a\nb\nc");
        assert_eq!([lines.number(0), lines.number(2), lines.number(4)], [1, 2, 3]);
    }
}
