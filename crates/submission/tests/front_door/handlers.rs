//! What handlers are told, and what becomes of what they say. Written as an embedder writes: `submission` is all it uses.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use submission::{
    AuthHandler, Bytes, CancellationToken, Claim, Durable, Envelope, ForwardPath, ListenTls, MailHandler,
    Mechanism, Refusal, RefusalReply, Rejection, Secret, SenderAllowed, Server, SessionFacts, Settings,
    TlsVersion, Verdict, collect, passwords, random_queue_id,
};

use tokio::net::TcpStream;

use crate::client::{Client, auth_plain, shake, trusting};
use crate::house::{identity, limits};

/// A user of the embedder's own type, which can be told from every other of its kind.
#[derive(Debug)]
struct Member {
    number: u32,
    quota: Mutex<u32>,
}

/// What a judge was asked: the mechanism, the name to act as, the session.
type Asked = (Mechanism, Option<String>, SessionFacts);

/// Answers by the name that the client gives, and keeps what it was asked.
#[derive(Clone, Default)]
struct Porter {
    seen: Arc<Mutex<Vec<Asked>>>,
}

impl AuthHandler for Porter {
    type User = Member;

    async fn judge(&self, claim: Claim, session: &SessionFacts) -> Verdict<Member> {
        let authzid = claim.authzid().map(str::to_owned);
        self.seen.lock().unwrap().push((claim.mechanism(), authzid, session.clone()));
        let name = claim.username().unwrap_or_default();
        let own =
            |code, status, text| Verdict::Refused(RefusalReply::new(code, status, text).unwrap().into());
        match name {
            "ask" => own(535, "5.7.13", "Your account is closed; call 555-0100"),
            "later" => own(432, "4.7.12", "A password transition is needed"),
            "broken" => Verdict::Unavailable,
            "hasty" => Verdict::Throttled { retry_after: Duration::from_secs(9) },
            "both" => Verdict::NeedsAppPassword,
            "member" => {
                let member = Member { number: 17, quota: Mutex::new(2) };
                claim.judge_by_password(Some((&Secret::new("secret"), member)))
            }
            _ => Verdict::Refused(Refusal::default()),
        }
    }
}

/// Takes mail as far as the quota of its user goes.
#[derive(Clone, Default)]
struct Clerk {
    told: Arc<Mutex<Vec<(&'static str, u32)>>>,
}

impl Clerk {
    fn note(&self, what: &'static str, user: Option<&Arc<Member>>) {
        self.told.lock().unwrap().push((what, user.unwrap().number));
    }
}

impl MailHandler<Member> for Clerk {
    type Message = Arc<Member>;

    const CHECKS_SENDERS: bool = true;

    async fn sender(
        &self,
        user: Option<&Arc<Member>>,
        envelope: &Envelope,
        _: &SessionFacts,
    ) -> Result<SenderAllowed, Rejection> {
        self.note("sender", user);
        if envelope.reverse_path.to_string() != "<member@example.test>" {
            return Err(RefusalReply::new(550, "5.7.1", "Members write as members").unwrap().into());
        }
        Ok(SenderAllowed::after_check())
    }

    async fn recipient(
        &self,
        user: Option<&Arc<Member>>,
        _: &Envelope,
        path: &ForwardPath,
        _: &SessionFacts,
    ) -> Result<(), Rejection> {
        self.note("recipient", user);
        if path.to_string().starts_with("<full@") {
            return Err(RefusalReply::new(452, "4.2.2", "That box is full for today").unwrap().into());
        }
        Ok(())
    }

    fn open(&self, user: Option<&Arc<Member>>, _: &Envelope, _: &SessionFacts) -> Arc<Member> {
        self.note("open", user);
        Arc::clone(user.unwrap())
    }

    async fn body(&self, _: &mut Arc<Member>, _: Bytes) {}

    async fn commit(&self, member: Arc<Member>, _: Envelope) -> Result<Durable, Rejection> {
        let mut quota = member.quota.lock().unwrap();
        *quota = quota.checked_sub(1).ok_or(RefusalReply::new(554, "5.7.1", "No more today").unwrap())?;
        Ok(Durable::after_sync(random_queue_id()))
    }
}

/// Of those whose mail is collected each may send in its own name.
#[tokio::test]
async fn who_collects_mail_may_say_who_sends_in_whose_name() {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let shelf = Arc::clone(&taken);
    let mail = collect(move |user: Arc<String>, envelope, octets| {
        shelf.lock().unwrap().push((user, envelope.reverse_path.to_string(), octets));
        async { Ok(()) }
    })
    .check_senders(|user, path| {
        path.mailbox().is_some_and(|own| own.to_string() == format!("{user}@x.test"))
    });
    let mut settings = Settings::new("mail.example.test");
    settings.allow_insecure = true;
    let auth = passwords(|name| Some((Secret::new("secret"), name.to_owned())));
    let server = Server::builder(settings, auth, mail)
        .listen(([127, 0, 0, 1], 0).into(), ListenTls::Off)
        .bind()
        .unwrap();
    let address = server.addresses()[0].0;
    tokio::spawn(server.serve(CancellationToken::new()));
    let mut client = Client::plain(address).await;
    client.ask("EHLO desk.example.test\r\n", "250 ").await;
    client.ask(&auth_plain("ann", "secret"), "235 ").await;
    client.ask("MAIL FROM:<bob@x.test>\r\n", "553 5.7.1 ").await;
    client.ask("MAIL FROM:<>\r\n", "553 5.7.1 ").await;
    client.ask("MAIL FROM:<ann@x.test>\r\n", "250 ").await;
    client.ask("RCPT TO:<a@example.net>\r\n", "250 ").await;
    client.ask("DATA\r\n", "354 ").await;
    client.ask("\r\nhello\r\n.\r\n", "250 2.0.0").await;
    let expected = (Arc::new("ann".to_owned()), "<ann@x.test>".to_owned(), b"\r\nhello\r\n".to_vec());
    assert_eq!(*taken.lock().unwrap(), [expected]);
}

struct Open {
    address: SocketAddr,
    porter: Porter,
    clerk: Clerk,
}

/// A server in clear, so that a test shows nothing but what it is about.
fn open() -> Open {
    let (porter, clerk) = (Porter::default(), Clerk::default());
    let mut settings = Settings::new("mail.example.test");
    settings.allow_insecure = true;
    let server = Server::builder(settings, porter.clone(), clerk.clone())
        .limits(limits(|limits| limits.failure_delay = Duration::ZERO))
        .listen(([127, 0, 0, 1], 0).into(), ListenTls::Off)
        .bind()
        .unwrap();
    let address = server.addresses()[0].0;
    tokio::spawn(server.serve(CancellationToken::new()));
    Open { address, porter, clerk }
}

impl Open {
    async fn client(&self) -> Client {
        let mut client = Client::plain(self.address).await;
        client.ask("EHLO desk.example.test\r\n", "250 ").await;
        client
    }
}

#[tokio::test]
async fn every_verdict_has_its_reply() {
    let server = open();
    for (name, reply) in [
        ("ask", "535 5.7.13 Your account is closed; call 555-0100\r\n"),
        ("later", "432 4.7.12 A password transition is needed\r\n"),
        ("broken", "454 4.7.0 Authentication is temporarily unavailable\r\n"),
        ("hasty", "454 4.7.0 Too many failed logins; try again in 9 seconds\r\n"),
        ("both", "534 5.7.9 Application-specific password required\r\n"),
        ("stranger", "535 5.7.8 Authentication credentials invalid\r\n"),
        ("member", "235 2.7.0 Authentication successful\r\n"),
    ] {
        let said = server.client().await.ask(&auth_plain(name, "secret"), "").await;
        assert_eq!(said, reply, "{name}");
    }
}

#[tokio::test]
async fn a_judge_knows_the_mechanism_the_name_to_act_as_and_the_session() {
    let server = open();
    let mut client = server.client().await;
    // `chair NUL member NUL secret`
    client.ask("AUTH PLAIN Y2hhaXIAbWVtYmVyAHNlY3JldA==\r\n", "535 5.7.8 ").await;
    client.ask("AUTH LOGIN bWVtYmVy\r\n", "334 ").await;
    client.ask("c2VjcmV0\r\n", "235 ").await;
    let seen = server.porter.seen.lock().unwrap();
    let [(Mechanism::Plain, Some(authzid), plain), (Mechanism::Login, None, login)] = seen.as_slice() else {
        panic!("{seen:?}");
    };
    assert_eq!(authzid, "chair");
    assert_eq!(plain, login, "one session");
    assert_eq!((plain.local, plain.peer.ip()), (server.address, server.address.ip()));
    assert_eq!(plain.ehlo.as_ref().map(|name| name.as_str()), Some("desk.example.test"));
    assert!(plain.extended && plain.tls.is_none() && plain.client_certificate.is_none());
}

#[tokio::test]
async fn a_judge_knows_what_tls_came_to() {
    let (identity, certificate) = identity();
    let porter = Porter::default();
    let server = Server::builder(Settings::new("mail.example.test"), porter.clone(), Clerk::default())
        .tls(identity, TlsVersion::V1_3)
        .listen(([127, 0, 0, 1], 0).into(), ListenTls::Implicit)
        .bind()
        .unwrap();
    let socket = TcpStream::connect(server.addresses()[0].0).await.unwrap();
    let stop = CancellationToken::new();
    let task = tokio::spawn(server.serve_until(stop.clone().cancelled_owned()));
    let mut client = Client::over(shake(socket, trusting(&certificate)).await.unwrap());
    client.expect("220 ").await;
    client.ask("EHLO desk.example.test\r\n", "250 ").await;
    client.ask(&auth_plain("member", "secret"), "235 ").await;
    let tls = porter.seen.lock().unwrap()[0].2.tls.unwrap();
    assert_eq!((tls.version, tls.cipher), ("TLSv1.3", "TLS_AES_128_GCM_SHA256"));
    stop.cancel();
    client.expect("421 4.3.2 ").await;
    drop(client);
    task.await.unwrap();
}

#[tokio::test]
async fn the_user_of_the_login_is_there_at_every_step_of_every_message() {
    let server = open();
    let mut client = server.client().await;
    client.ask(&auth_plain("member", "secret"), "235 ").await;
    let ending = ["250 2.0.0", "250 2.0.0", "554 5.7.1 No more today\r\n"];
    for reply in ending {
        client.ask("MAIL FROM:<member@example.test>\r\n", "250 ").await;
        client.ask("RCPT TO:<a@example.net>\r\n", "250 ").await;
        client.ask("DATA\r\n", "354 ").await;
        client.ask("Subject: x\r\n\r\n.\r\n", reply).await;
    }
    let told = server.clerk.told.lock().unwrap();
    assert_eq!(*told, [("sender", 17), ("recipient", 17), ("open", 17)].repeat(3));
}

#[tokio::test]
async fn mail_is_refused_in_the_handlers_own_words() {
    let server = open();
    let mut client = server.client().await;
    client.ask(&auth_plain("member", "secret"), "235 ").await;
    client.ask("MAIL FROM:<chair@example.test>\r\n", "550 5.7.1 Members write as members\r\n").await;
    client.ask("MAIL FROM:<member@example.test>\r\n", "250 ").await;
    client.ask("RCPT TO:<full@example.net>\r\n", "452 4.2.2 That box is full for today\r\n").await;
    client.ask("RCPT TO:<a@example.net>\r\n", "250 ").await;
}
