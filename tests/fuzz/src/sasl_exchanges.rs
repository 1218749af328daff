//! The SASL exchanges: they end, take one form of base64, and make claims within their limits, which nothing but the right
//! password makes true.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sasl::{
    ChannelBindings, Circumstances, Claim, Exchange, ExchangeError, MAX_PASSWORD, MAX_TOKEN, MAX_USERNAME,
    Mechanism, Nonces, Step, Verdict,
};
use types::Secret;

/// The most challenges of any of our mechanisms.
const MOST_CHALLENGES: usize = 2;

/// The first octet chooses the mechanism, and whether lines are written in base64 here (below 128) or come as they are. Each
/// line of the rest is a response, the first with the command; in one that is written here, `%` is what the server's last
/// challenge said.
pub(crate) fn holds(data: &[u8]) {
    let [choice, lines @ ..] = data else { return };
    let mechanism = Mechanism::ALL[usize::from(*choice) % Mechanism::ALL.len()];
    let encoded = *choice < 128;
    let mut lines = lines.split(|octet| *octet == b'\n');
    let nonce = Nonces::new([3; 32]).draw();
    let exporter = Some(Secret::new([7; 32]));
    let mut bindings = ChannelBindings::default();
    (bindings.exporter, bindings.server_end_point) = (exporter, Some(vec![9; 32]));
    let mut circumstances = Circumstances::new("mail.example.org", &nonce, &bindings);
    circumstances.offers_plus = true;
    let Some(first) = lines.next().and_then(|line| response(line, encoded, "")) else { return };
    let initial = Some(first.as_str()).filter(|text| *text != "!");
    let mut step = Exchange::start(mechanism, initial, circumstances);
    has_one_form(initial.filter(|text| *text != "="), &step);
    for _ in 0..=MOST_CHALLENGES {
        step = match step {
            Step::Salt(wanted) => {
                is_name(wanted.username());
                wanted.with(None)
            }
            Step::Challenge(challenge, exchange) => {
                let said = STANDARD.decode(&challenge).expect("a challenge is base64");
                let said = String::from_utf8(said).expect("our challenges are text");
                let Some(text) = lines.next().and_then(|line| response(line, encoded, &said)) else { return };
                let next = exchange.respond(&text);
                has_one_form(Some(&text).filter(|text| *text != "*").map(String::as_str), &next);
                next
            }
            Step::Claim(claim) => return is_sound(mechanism, claim),
            Step::Failed(_) => return,
        };
    }
    assert!(!matches!(step, Step::Challenge(..)), "{} does not end", mechanism.name());
}

/// RFC 4954 section 4: `!` stands for a command without an initial response; a line is text.
fn response(line: &[u8], encoded: bool, said: &str) -> Option<String> {
    let line = line.trim_ascii_end();
    if !encoded || matches!(line, b"!" | b"*" | b"=") {
        return String::from_utf8(line.to_vec()).ok();
    }
    let line: Vec<u8> = line
        .iter()
        .flat_map(|octet| if *octet == b'%' { said.as_bytes().to_vec() } else { vec![*octet] })
        .collect();
    Some(STANDARD.encode(line))
}

/// What was taken for base64 is what its octets are written as.
fn has_one_form(text: Option<&str>, step: &Step) {
    if let Some(text) = text
        && !matches!(step, Step::Failed(ExchangeError::NotBase64 | ExchangeError::NoInitialResponse))
    {
        let octets = STANDARD.decode(text).expect("what is taken is base64");
        assert_eq!(STANDARD.encode(octets), text);
    }
}

fn is_name(name: &str) {
    assert!(!name.is_empty() && name.len() <= MAX_USERNAME && !name.contains('\0'), "{name:?}");
}

fn is_sound(mechanism: Mechanism, claim: Claim) {
    assert_eq!(claim.mechanism(), mechanism);
    claim.username().into_iter().chain(claim.authzid()).for_each(is_name);
    let right = Secret::new("eM8ahsh0ieQu4th1");
    let mut is_right = false;
    match &claim {
        Claim::Password(claim) => {
            let password = claim.password.declassify();
            assert!(!password.is_empty() && password.len() <= MAX_PASSWORD && !password.contains(&0));
            is_right = claim.password == right;
        }
        Claim::Token(claim) => {
            let token = claim.token.declassify();
            assert!(!token.is_empty() && token.len() <= MAX_TOKEN && token.is_ascii());
        }
        _ => {}
    }
    let known = claim.username().map(str::to_owned);
    let verdict = claim.judge_by_password(known.as_ref().map(|name| (&right, name.clone())));
    let accepted = matches!(verdict, Verdict::Accepted(_));
    // Nobody comes upon a digest of this password by chance.
    assert!(!accepted || is_right);
}
