//! The parts of a body: where something can be filled in, and where a text would not be read as it is written.

use message::Header;

/// What stands behind this octet of the body, up to the next region.
#[derive(Debug)]
struct Region {
    from: usize,
    /// Why nothing can be filled in, if nothing can.
    obstacle: Option<String>,
}

/// The regions of a body, in their order.
#[derive(Debug)]
pub(crate) struct Regions(Vec<Region>);

impl Regions {
    /// Reads a body, with CRLF at the end of its lines, behind this header.
    pub(crate) fn of(header: &Header<'_>, body: &str) -> Regions {
        let mut regions = Regions(vec![Region { from: 0, obstacle: obstacle(header) }]);
        let mut boundaries: Vec<String> = boundary(header).into_iter().collect();
        let (mut part, mut at) = (None::<String>, 0);
        for line in body.split_inclusive('\n') {
            at += line.len();
            match &mut part {
                Some(fields) if line == "\r\n" => {
                    // What is no header says nothing of its part.
                    let header = Header::parse(fields.as_bytes()).ok();
                    boundaries.extend(header.as_ref().and_then(boundary));
                    regions.0.push(Region { from: at, obstacle: header.as_ref().and_then(obstacle) });
                    part = None;
                }
                Some(fields) => fields.push_str(line),
                None if is_delimiter(line, &boundaries) => part = Some(String::new()),
                None => {}
            }
        }
        regions
    }

    /// Why nothing can be filled in at this octet of the body, if nothing can.
    pub(crate) fn obstacle(&self, at: usize) -> Option<&str> {
        self.0.iter().rev().find(|region| region.from <= at)?.obstacle.as_deref()
    }
}

/// RFC 2046 section 5.1.1.
fn is_delimiter(line: &str, boundaries: &[String]) -> bool {
    line.strip_prefix("--").is_some_and(|rest| boundaries.iter().any(|boundary| rest.starts_with(boundary)))
}

fn obstacle(header: &Header<'_>) -> Option<String> {
    let encoding = header
        .named("Content-Transfer-Encoding")
        .next()
        .map(|field| field.value().trim().to_ascii_lowercase());
    if let Some(encoding @ ("base64" | "quoted-printable")) = encoding.as_deref() {
        return Some(format!(
            "this part is encoded as {encoding}; write it as it is read, with \"8bit\" in that field"
        ));
    }
    let charset = parameter(header, "charset=")?;
    let known = ["utf-8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known));
    (!known).then(|| format!("this part has the charset {charset}; write it in UTF-8, with \"charset=utf-8\" in its Content-Type"))
}

fn boundary(header: &Header<'_>) -> Option<String> {
    parameter(header, "boundary=")
}

/// The value of a parameter of Content-Type (RFC 2045 section 5.1).
fn parameter(header: &Header<'_>, name: &str) -> Option<String> {
    let value = header.named("Content-Type").next()?.value();
    let start = value.to_ascii_lowercase().find(name)? + name.len();
    let value = value.get(start..)?;
    let end: &[char] = if value.starts_with('"') { &['"'] } else { &[';', ' ', '\t', '\r'] };
    let value = value.strip_prefix('"').unwrap_or(value);
    value.split(end).next().map(str::to_owned).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obstacles(header: &str, body: &str) -> Vec<bool> {
        let header = Header::parse(header.as_bytes()).unwrap();
        let regions = Regions::of(&header, body);
        body.match_indices('X').map(|(at, _)| regions.obstacle(at).is_some()).collect()
    }

    #[test]
    fn nothing_is_filled_into_what_is_encoded() {
        for (header, expected) in [
            ("Subject: x\r\n", false),
            ("Content-Transfer-Encoding: 8bit\r\n", false),
            ("Content-Transfer-Encoding: Base64\r\n", true),
            ("Content-Type: text/plain; charset=UTF-8\r\n", false),
            ("Content-Type: text/plain;\r\n charset=\"iso-8859-1\"\r\n", true),
        ] {
            assert_eq!(obstacles(header, "X\r\n"), [expected], "{header}");
        }
    }

    #[test]
    fn each_part_is_seen_for_itself() {
        let header = "Content-Type: multipart/mixed; boundary=\"a b\"\r\n";
        let body = "X\r\n--a b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nX\r\n--c\r\n\
                    Content-Transfer-Encoding: quoted-printable\r\n\r\nX\r\n--not one\r\n\r\nX\r\n--c--\r\n\r\n--a b\r\n\
                    Content-Type: text/plain; charset=utf-8\r\n\r\nX\r\n--a b--\r\n";
        assert_eq!(obstacles(header, body), [false, false, true, true, false]);
    }
}
