//! An OAuth provider that is asked about tokens (RFC 7662): each user's is its password, as over the pure session.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::{Value, json};

/// Answers on a port of its own, for as long as the test runs.
pub struct Introspection {
    address: SocketAddr,
}

impl Introspection {
    /// Of these users: addresses and tokens.
    pub fn start(users: Vec<(String, String)>) -> Introspection {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                // Whoever asks and goes does not hinder the next.
                let _ = answer(socket, &users);
            }
        });
        Introspection { address }
    }

    /// What the configuration says of it, behind `[auth]`.
    pub fn settings(&self) -> String {
        let url = format!("http://{}", self.address);
        format!(
            "backends = [\"accounts\", \"oauth\"]\n[[oauth.provider]]\nname = \"test\"\nissuer = \"{url}\"\nclaim = \"sub\"\n\
             introspection_endpoint = \"{url}/introspect\"\nclient_id = \"gatepost\"\nclient_secret_file = \"oauth.secret\""
        )
    }
}

fn answer(socket: TcpStream, users: &[(String, String)]) -> std::io::Result<()> {
    let mut reader = BufReader::new(socket);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line)? > 2 {
        if let Some(octets) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = octets.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut form = vec![0; length];
    reader.read_exact(&mut form)?;
    let body = found(&String::from_utf8_lossy(&form), users).to_string();
    let head = format!("Content-Type: application/json\r\nContent-Length: {}", body.len());
    reader
        .get_mut()
        .write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\nConnection: close\r\n\r\n{body}").as_bytes())
}

/// The tokens of dialogues look the same in a form as elsewhere.
fn found(form: &str, users: &[(String, String)]) -> Value {
    let token = form.split('&').find_map(|field| field.strip_prefix("token="));
    match users.iter().find(|(_, password)| Some(password.as_str()) == token) {
        Some((address, _)) => json!({ "active": true, "sub": address, "exp": 4_102_444_800_u64 }),
        None => json!({ "active": false }),
    }
}
