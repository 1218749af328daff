//! A browser as far as HTTP goes: says what a test has it say, keeps cookies, and finds the tokens of forms.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::server::PATIENCE;

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// In their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// As text.
    pub body: String,
    /// As they came.
    pub octets: Vec<u8>,
}

impl Answer {
    fn parse(octets: &[u8]) -> Answer {
        let end = octets.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head: {:?}", String::from_utf8_lossy(octets)));
        let (head, octets) = (String::from_utf8_lossy(&octets[..end]), octets[end + 4..].to_vec());
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(':').unwrap());
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        let headers: Vec<_> = headers.collect();
        let is_chunked =
            headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let text = String::from_utf8_lossy(&octets).into_owned();
        let body = if is_chunked { unchunked(&text) } else { text };
        Answer { status, headers, body, octets }
    }

    /// The header, which is there once at most.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let first = found.next();
        assert_eq!(found.next(), None, "{name} twice: {self:?}");
        first
    }

    /// Where a redirect leads.
    pub fn location(&self) -> &str {
        self.header("location").unwrap_or_else(|| panic!("no redirect: {self:?}"))
    }

    /// The token of the form of the page that is sent to this path.
    pub fn token(&self, path: &str) -> String {
        let begins = format!("action=\"{path}\"");
        let (_, form) =
            self.body.split_once(&begins).unwrap_or_else(|| panic!("no form to {path}: {}", self.body));
        let (_, value) = form.split_once("name=\"csrf\" value=\"").unwrap();
        value.split('"').next().unwrap().to_owned()
    }
}

/// A browser that is shown pages over plain HTTP on loopback.
#[derive(Debug, Clone)]
pub struct Browser {
    server: SocketAddr,
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn new(server: SocketAddr) -> Browser {
        Browser { server, cookies: BTreeMap::new() }
    }

    /// The address as a page of the server has it as its origin.
    pub fn origin(&self) -> String {
        format!("http://{}", self.server)
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    /// Sends a form as a page of the server does.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = self.origin();
        self.post_with(path, &[("Origin", &origin), ("Sec-Fetch-Site", "same-origin")], fields)
    }

    /// Sends a form with these headers, which say where it comes from.
    pub fn post_with(&mut self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let body: Vec<_> =
            fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let mut headers = headers.to_vec();
        headers.push(("Content-Type", "application/x-www-form-urlencoded"));
        self.ask("POST", path, &headers, &body.join("&"))
    }

    /// Sends a form of this page: with its token.
    pub fn send(&mut self, page: &Answer, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = page.token(path);
        let mut fields = fields.to_vec();
        fields.push(("csrf", &token));
        self.post(path, &fields)
    }

    /// A request with the cookies that are kept. The headers come before those that are always sent, and `Host` may be among them.
    pub fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut lines = vec![format!("{method} {path} HTTP/1.1"), "Connection: close".to_owned()];
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        if !headers.iter().any(|(name, _)| *name == "Host") {
            lines.push(format!("Host: {}", self.server));
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            lines.push(format!("Cookie: {}", pairs.join("; ")));
        }
        lines.push(format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        let answer = Answer::parse(&exchanged(self.server, lines.join("\r\n").as_bytes()));
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        for (_, line) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            match line.contains("Max-Age=0") {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
    }
}

/// What a server says to these octets before it closes the connection.
pub fn exchanged(server: SocketAddr, octets: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A server that has heard enough may close before it has all.
    let _ = stream.write_all(octets);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// What was sent in chunks (RFC 9112 section 7.1), which are counted in octets; here they are of ASCII.
fn unchunked(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((length, rest)) = chunks.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        body.push_str(&rest[..length]);
        chunks = rest[length..].strip_prefix("\r\n").unwrap();
    }
    body
}

/// As HTML forms are sent.
fn encoded(text: &str) -> String {
    let octet = |octet: u8| match octet {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(octet).to_string(),
        _ => format!("%{octet:02X}"),
    };
    text.bytes().map(octet).collect()
}
