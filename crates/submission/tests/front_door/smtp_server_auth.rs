//! What nodemailer's smtp-server proves of its authentication (`test/smtp-connection-test.js` of 3.19), case by case, of
//! ours. The modules are its groups, in its order. Where our reply is another on purpose, the case says why.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use rustls::pki_types::CertificateDer;
use submission::{
    AuthHandler, Authenticated, CancellationToken, Claim, ListenTls, Mechanism, OAuthChallenge, Secret,
    Server, SessionFacts, Settings, TlsVersion, Verdict,
};
use tokio::net::TcpStream;

use crate::client::{Client, auth_plain, shake, trusting};
use crate::house::{Shelf, identity};

/// A claim as its judge saw it: mechanism, name, name to act as, whether under TLS.
type Seen = (Mechanism, Option<String>, Option<String>, bool);

/// Knows `demo`, by password or token, and does not mind in whose name demo acts, as smtp-server leaves it to `onAuth`.
#[derive(Clone, Default)]
struct OnAuth {
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl AuthHandler for OnAuth {
    type User = String;

    async fn judge(&self, claim: Claim, session: &SessionFacts) -> Verdict<String> {
        let name = claim.username().map(str::to_owned);
        let authzid = claim.authzid().map(str::to_owned);
        self.seen.lock().unwrap().push((claim.mechanism(), name.clone(), authzid, session.tls.is_some()));
        let password = Secret::new("secret");
        let is_right = match &claim {
            Claim::Password(claim) => claim.validates(&password),
            Claim::CramMd5(claim) => claim.validates(&password),
            Claim::Token(claim) => claim.token == Secret::new("token"),
            _ => false,
        };
        match name {
            Some(name) if is_right && name == "demo" => {
                Verdict::Accepted(Authenticated::new(name.clone(), name))
            }
            _ => Verdict::Refused(challenge().into()),
        }
    }
}

fn challenge() -> OAuthChallenge {
    let mut challenge = OAuthChallenge::default();
    "bearer mac".clone_into(&mut challenge.schemes);
    challenge.scope = Some("https://mail.example.test/".to_owned());
    challenge
}

struct House {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    auth: OnAuth,
}

/// A server as theirs begins by default in these tests: AUTH also without TLS, with these mechanisms.
fn house(mode: ListenTls, adjust: impl FnOnce(&mut Settings)) -> House {
    let mut settings = Settings::new("mail.example.test");
    settings.allow_insecure = true;
    settings.mechanisms = vec![Mechanism::Plain, Mechanism::Login, Mechanism::XOAuth2, Mechanism::CramMd5];
    adjust(&mut settings);
    let (identity, certificate) = identity();
    let auth = OnAuth::default();
    let server = Server::builder(settings, auth.clone(), Shelf::default())
        .tls(identity, TlsVersion::V1_2)
        .listen(([127, 0, 0, 1], 0).into(), mode)
        .bind()
        .unwrap();
    let address = server.addresses()[0].0;
    tokio::spawn(server.serve(CancellationToken::new()));
    House { address, certificate, auth }
}

impl House {
    /// Introduced, in clear.
    async fn client(&self) -> Client {
        let mut client = Client::plain(self.address).await;
        client.ask("EHLO client.test\r\n", "250 ").await;
        client
    }

    /// Introduced, behind STARTTLS.
    async fn secure_client(&self) -> Client {
        let mut client = Client::over(self.starttls().await);
        client.ask("EHLO client.test\r\n", "250 ").await;
        client
    }

    async fn starttls(&self) -> tokio_rustls::client::TlsStream<TcpStream> {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        for (line, reply) in [("", "220"), ("STARTTLS\r\n", "220")] {
            let mut octets = [0; 1024];
            tokio::io::AsyncWriteExt::write_all(&mut socket, line.as_bytes()).await.unwrap();
            let length = tokio::io::AsyncReadExt::read(&mut socket, &mut octets).await.unwrap();
            assert!(octets[..length].starts_with(reply.as_bytes()));
        }
        shake(socket, trusting(&self.certificate)).await.unwrap()
    }

    fn seen(&self) -> Vec<Seen> {
        self.auth.seen.lock().unwrap().clone()
    }
}

fn b64(octets: impl AsRef<[u8]>) -> String {
    format!("{}\r\n", STANDARD.encode(octets))
}

async fn login(client: &mut Client, name: &str, password: &str, end: &str) {
    client.ask("AUTH LOGIN\r\n", "334 ").await;
    client.ask(&b64(name), "334 ").await;
    client.ask(&b64(password), end).await;
}

async fn cram_md5(client: &mut Client, name: &str, password: &str, end: &str) {
    let reply = client.ask("AUTH CRAM-MD5\r\n", "334 ").await;
    let challenge = STANDARD.decode(reply.trim_start_matches("334 ").trim_end()).unwrap();
    let mut mac = Hmac::<Md5>::new_from_slice(password.as_bytes()).unwrap();
    mac.update(&challenge);
    let digest: String = mac.finalize().into_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
    client.ask(&b64(format!("{name} {digest}")), end).await;
}

fn xoauth2(name: &str, token: &str) -> String {
    format!("AUTH XOAUTH2 {}", b64(format!("user={name}\x01auth=Bearer {token}\x01\x01")))
}

mod hidden_starttls {
    use super::*;

    fn hidden() -> House {
        house(ListenTls::StartTls, |settings| settings.hide_starttls = true)
    }

    #[tokio::test]
    async fn a_client_that_does_not_know_of_it_goes_on_in_clear() {
        let mut client = Client::plain(hidden().address).await;
        let offered = client.ask("EHLO client.test\r\n", "250 ").await;
        assert!(!offered.contains("STARTTLS"), "{offered}");
        client.ask("QUIT\r\n", "221 ").await;
    }

    #[tokio::test]
    async fn a_client_that_demands_tls_gets_it() {
        hidden().secure_client().await.ask("QUIT\r\n", "221 ").await;
    }
}

mod no_starttls {
    use super::*;

    fn bare() -> House {
        house(ListenTls::Off, |_| {})
    }

    #[tokio::test]
    async fn a_client_goes_on_in_clear() {
        bare().client().await.ask("QUIT\r\n", "221 ").await;
    }

    #[tokio::test]
    async fn a_client_that_demands_tls_is_told_that_there_is_none() {
        bare().client().await.ask("STARTTLS\r\n", "502 5.5.1 ").await;
    }

    #[tokio::test]
    async fn too_many_commands_without_a_login_end_the_connection() {
        let mut client = bare().client().await;
        for _ in 0..9 {
            client.ask("NOOP\r\n", "250 ").await;
        }
        client.ask("NOOP\r\n", "421 4.7.0 ").await;
        assert_eq!(client.rest().await, "");
    }

    #[tokio::test]
    async fn too_many_unknown_commands_end_the_connection_of_a_user_too() {
        let house = bare();
        let mut client = house.client().await;
        client.ask(&auth_plain("demo", "secret"), "235 ").await;
        client.send("ZOOP\r\n".repeat(100)).await;
        let said = client.last_words().await;
        assert!(said.ends_with("421 4.7.0 Too many errors\r\n"), "{said}");
        assert!(house.seen().iter().all(|(_, _, _, secure)| !secure));
    }

    /// Theirs closes at once with 421; ours refuses the line once it ends, and closes if it goes on without an end: a slip is no attack.
    #[tokio::test]
    async fn a_command_line_without_an_end_ends_the_connection() {
        let mut client = bare().client().await;
        client.send(vec![b'A'; 5 * 1024]).await;
        client.ask("\r\n", "500 5.5.2 Line too long").await;
        client.send(vec![b'A'; 1024 * 1024]).await;
        assert!(client.last_words().await.contains("421 4.7.0 Too many errors"));
    }

    /// Theirs says 421, ours 554: a client that does not wait for its turn should not come back and do it again. The task of
    /// the connection runs only when this one waits, so the client is early for sure.
    #[tokio::test]
    async fn who_talks_before_the_greeting_is_turned_away() {
        let socket = std::net::TcpStream::connect(bare().address).unwrap();
        std::io::Write::write_all(&mut &socket, b"EHLO early.test\r\n").unwrap();
        socket.set_nonblocking(true).unwrap();
        let mut client = Client::over(TcpStream::from_std(socket).unwrap());
        assert!(client.rest().await.starts_with("554 5.5.0 "));
    }

    /// Theirs says 421, ours 502, and closes too: it is never going to be right.
    #[tokio::test]
    async fn http_ends_the_connection() {
        let mut client = Client::plain(bare().address).await;
        client.send("GET /path HTTP/1.0\r\nHost: www.example.test\r\n\r\n").await;
        let said = client.last_words().await;
        assert!(said.starts_with("502 5.7.0 ") && said.lines().count() == 1, "{said}");
    }
}

mod authentication {
    use super::*;

    fn any() -> House {
        house(ListenTls::StartTls, |_| {})
    }

    #[tokio::test]
    async fn plain_is_right_or_wrong() {
        let house = any();
        let mut client = house.secure_client().await;
        client.ask(&auth_plain("zzzz", "yyyy"), "535 5.7.8 ").await;
        client.ask(&auth_plain("demo", "secret"), "235 2.7.0 ").await;
        let demo = (Mechanism::Plain, Some("demo".to_owned()), None, true);
        assert_eq!(house.seen()[1], demo);
    }

    #[tokio::test]
    async fn login_is_right_or_wrong_with_tls_and_without() {
        let house = any();
        for mut client in [house.secure_client().await, house.client().await] {
            login(&mut client, "zzzz", "yyyy", "535 5.7.8 ").await;
            login(&mut client, "demo", "secret", "235 2.7.0 ").await;
        }
        let secure: Vec<_> = house.seen().iter().map(|(_, _, _, secure)| *secure).collect();
        assert_eq!(secure, [true, true, false, false]);
    }

    /// The challenge is the handler's, and the reply comes once the client has taken it.
    #[tokio::test]
    async fn xoauth2_is_right_or_wrong() {
        let mut client = any().secure_client().await;
        let reply = client.ask(&xoauth2("zzzz", "token"), "334 ").await;
        let told = STANDARD.decode(reply.trim_start_matches("334 ").trim_end()).unwrap();
        let told = String::from_utf8(told).unwrap();
        for member in
            [r#""status":"401""#, r#""schemes":"bearer mac""#, r#""scope":"https://mail.example.test/""#]
        {
            assert!(told.contains(member), "{told}");
        }
        client.ask("\r\n", "535 5.7.8 ").await;
        client.ask(&xoauth2("demo", "token"), "235 2.7.0 ").await;
    }

    #[tokio::test]
    async fn cram_md5_is_right_or_wrong() {
        let mut client = any().secure_client().await;
        cram_md5(&mut client, "zzzz", "yyyy", "535 5.7.8 ").await;
        cram_md5(&mut client, "demo", "Secret", "535 5.7.8 ").await;
        cram_md5(&mut client, "demo", "secret", "235 2.7.0 ").await;
    }
}

mod identities {
    use super::*;

    fn plain_and_login() -> House {
        let mechanisms = vec![Mechanism::Plain, Mechanism::Login];
        house(ListenTls::Off, |settings| settings.mechanisms = mechanisms)
    }

    /// Theirs takes `name NUL NUL password` for the name's login. RFC 4616 section 2 has an authcid of at least one octet,
    /// and whom to act as is never who one is: it is malformed, and no judge sees it.
    #[tokio::test]
    async fn a_name_to_act_as_does_not_stand_in_for_a_name() {
        let house = plain_and_login();
        let message = format!("AUTH PLAIN {}", b64("demo\0\0secret"));
        house.client().await.ask(&message, "501 5.5.2 ").await;
        assert_eq!(house.seen(), []);
    }

    #[tokio::test]
    async fn a_judge_sees_who_it_is_apart_from_whom_it_acts_as() {
        let house = plain_and_login();
        let message = format!("AUTH PLAIN {}", b64("admin\0demo\0secret"));
        house.client().await.ask(&message, "235 2.7.0 ").await;
        let seen = (Mechanism::Plain, Some("demo".to_owned()), Some("admin".to_owned()), false);
        assert_eq!(house.seen(), [seen]);
    }

    /// Theirs says 500, ours 501: the command is known, its argument is not right.
    #[tokio::test]
    async fn a_name_with_control_characters_never_reaches_the_judge() {
        let house = plain_and_login();
        for message in ["evil\r\nReceived: x\0\0p", "\0evil\r\nReceived: x\0p", "evil\r\n\0demo\0secret"] {
            house.client().await.ask(&format!("AUTH PLAIN {}", b64(message)), "501 5.5.2 ").await;
        }
        let mut client = house.client().await;
        client.ask("AUTH LOGIN\r\n", "334 ").await;
        client.ask(&b64("evil\r\nReceived: x"), "501 5.5.2 ").await;
        assert_eq!(house.seen(), []);
    }
}
