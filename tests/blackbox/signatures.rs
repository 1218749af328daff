//! Signed mail arrives octet for octet below our Received field, and whoever judges its signature says that it holds.

use std::path::Path;
use std::process::{Command, Output};

use tests::authority::Authority;
use tests::server::{Installation, Server, Settings, run};
use tests::smarthost::{Script, Smarthost};

use crate::letter::letter;

const USER: &str = "alice@example.org";

/// What a signature is broken by: 8-bit text, dots, blanks at the end of a line and at the end of the text.
const TEXT: &str = "Grüße  \r\n.\r\n..\r\n.hidden\r\nFrom here\r\n\ttab\t\r\n\r\n\r\n";

#[test]
fn a_dkim_signature_holds() {
    let house = House::open();
    let key = house.installation.path("dkim.pem");
    done(Command::new("openssl").args(["genrsa", "-traditional", "-out"]).arg(&key).arg("2048"), "");
    let bare = format!("From: Alice <{USER}>\r\nSubject:  two  blanks \r\n\r\n{TEXT}");
    for message in [letter("dkim", TEXT), bare.into_bytes()] {
        for canonicalization in ["simple/simple", "relaxed/relaxed"] {
            let sign = [Path::new("sign"), &key, Path::new(canonicalization)];
            let signed = done(dkim().args(sign), std::str::from_utf8(&message).unwrap());
            let arrived = house.arrived(&signed);
            let judged =
                run(dkim().args([Path::new("verify"), &key]), std::str::from_utf8(&arrived).unwrap());
            assert!(judged.status.success(), "{}", String::from_utf8_lossy(&arrived));
        }
    }
}

#[test]
fn an_s_mime_signature_holds() {
    let house = House::open();
    let authority = Authority::new();
    let (root, certificate, key) = (house.path("root.pem"), house.path("signer.pem"), house.path("key.pem"));
    std::fs::write(&root, authority.pem()).unwrap();
    authority.sign_for(&["alice"]).write(Path::new(&certificate), Path::new(&key));
    let entity =
        format!("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{TEXT}");
    let sign = ["smime", "-sign", "-binary", "-signer", &certificate, "-inkey", &key];
    let signed = done(Command::new("openssl").args(sign), &entity);
    let signed = String::from_utf8(signed).unwrap().replace("\r\n", "\n").replace('\n', "\r\n");
    let message = [with_header().as_bytes(), signed.as_bytes()].concat();
    let arrived = house.arrived(&message);
    let verify = ["smime", "-verify", "-CAfile", &root, "-purpose", "any"];
    let judged = run(Command::new("openssl").args(verify), std::str::from_utf8(&arrived).unwrap());
    assert!(judged.status.success(), "{judged:?}");
}

#[test]
fn an_openpgp_signature_is_carried_octet_for_octet() {
    let house = House::open();
    let signature =
        "-----BEGIN PGP SIGNATURE-----\r\n\r\niHUEABYKAB0WIQ==\r\n=abcd\r\n-----END PGP SIGNATURE-----";
    let body = format!(
        "This is an OpenPGP/MIME signed message.  \r\n--b\r\nContent-Type: text/plain; charset=utf-8; name=\"Maße.txt\"\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{TEXT}\r\n--b\r\nContent-Type: application/pgp-signature; name=signature.asc\r\n\r\n\
         {signature}\r\n--b--\r\nepilogue\r\n"
    );
    let kind = "multipart/signed; micalg=pgp-sha512; protocol=\"application/pgp-signature\"; boundary=b";
    let message = format!("{}MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{body}", with_header());
    house.arrived(message.as_bytes());
}

/// The fields that have nothing to do with MIME.
fn with_header() -> String {
    format!(
        "From: Alice <{USER}>\r\nTo: Bob <bob@example.net>\r\nSubject: signed\r\n\
         Date: Sat, 21 Nov 2026 04:00:00 +0000\r\nMessage-ID: <signed@client.example>\r\n"
    )
}

/// The judge wants Debian's own Python.
fn dkim() -> Command {
    let mut command = Command::new("/usr/bin/python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/dkim_signature.py"));
    command
}

/// What a command that must succeed writes.
fn done(command: &mut Command, input: &str) -> Vec<u8> {
    let Output { status, stdout, stderr } = run(command, input);
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    stdout
}

struct House {
    next: Smarthost,
    installation: Installation,
    server: Server,
}

impl House {
    fn open() -> House {
        let next = Smarthost::start(Script::default());
        let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"", next.address);
        let installation = Installation::new(&Settings { delivery, ..Settings::default() });
        installation.add_user(USER, "correct horse");
        let server = installation.start();
        House { next, installation, server }
    }

    fn path(&self, name: &str) -> String {
        self.installation.path(name).display().to_string()
    }

    /// Sends a message; what the next host got, of which all below our Received field has to be that.
    fn arrived(&self, message: &[u8]) -> Vec<u8> {
        let mut client = self.server.logged_in(&self.installation, USER, "correct horse");
        let reply = client.send(USER, &["bob@example.net"], message).unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        self.installation.until_queue_is_empty();
        let arrived = self.next.messages().pop().unwrap().octets;
        let above = arrived.len() - message.len();
        let (received, below) = arrived.split_at(above);
        assert_eq!(String::from_utf8_lossy(below), String::from_utf8_lossy(message));
        assert_eq!(below, message);
        assert!(received.starts_with(b"Received: ") && !received.windows(3).any(|at| at == b"\r\n\r"));
        arrived
    }
}
