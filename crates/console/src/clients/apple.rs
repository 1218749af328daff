//! A profile for iPhone, iPad and Mac: the settings with an app password, as a file that is installed.
//!
//! It holds the password, and is made only as the answer to whoever has just been shown that. It is not kept.

use askama::Template;
use auth::app_password;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use desk::{ClientDiscovery, ClientSettings, SubmissionPort};
use sha1::{Digest as _, Sha1};
use store::Account;
use types::{IncomingServer, Mailbox};
use zeroize::Zeroizing;

use super::sign;
use crate::console::Console;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::visit::Visit;

/// An app password that was just made, with all that a device has to know.
struct Profiled<'a> {
    address: &'a Mailbox,
    /// Which app password it is: another one is another profile, and does not take the place of the first.
    id: &'a str,
    password: &'a str,
}

/// The field that has the letters, which come back from the page that has shown them.
const LETTERS: &str = "letters";

#[derive(Template)]
#[template(path = "clients/profile.xml")]
struct Profile<'a> {
    organisation: &'a str,
    address: String,
    incoming: &'a IncomingServer,
    host: &'a str,
    port: u16,
    password: &'a str,
    /// The name of the profile, and of what it holds.
    identifier: String,
    account_identifier: String,
    uuid: String,
    account_uuid: String,
}

/// Whether there is a profile for this address: without a server to read mail from devices take none.
pub(crate) fn is_there(settings: &ClientSettings, address: &Mailbox) -> bool {
    discovery(settings, address).is_some() && port(settings).is_some()
}

/// Whether devices can tell from which server a profile is.
pub(crate) fn is_signed(console: &Console) -> bool {
    console.watched.identity.as_ref().is_some_and(|identity| identity.document_signer().is_some())
}

/// The first port where the password of a profile is taken.
fn port(settings: &ClientSettings) -> Option<&SubmissionPort> {
    settings.submission_ports().find(|port| port.takes_passwords())
}

fn discovery<'a>(settings: &'a ClientSettings, address: &Mailbox) -> Option<&'a ClientDiscovery> {
    settings.discovery_of(address.host().domain()?)
}

/// The profile with the app password of this account whose letters are sent, as a download.
///
/// # Errors
/// [`Problem::NotFound`] if there is none for this account, or the letters are not those of an app password of it.
pub(crate) async fn download(
    console: &Console,
    visit: &Visit,
    account: &Account,
    fields: &Fields,
) -> Result<Response, Problem> {
    let letters = app_password::normalise(&fields.secret(LETTERS)).ok_or(Problem::NotFound)?;
    let id = console.desk().own_app_password(account, &letters).await?.ok_or(Problem::NotFound)?;
    let password = letters.declassify();
    answer(console, visit, &Profiled { address: &account.address, id: &id.to_string(), password: &password })
}

fn answer(console: &Console, visit: &Visit, profiled: &Profiled<'_>) -> Result<Response, Problem> {
    let desk = console.desk();
    let profile = Zeroizing::new(profile(console, desk.client_settings(), profiled)?);
    let unavailable = |error: submission::tls::TlsError| Problem::unavailable(&error);
    let file = match console.watched.identity.as_ref().and_then(|identity| identity.document_signer()) {
        Some(signer) => sign::signed(profile.as_bytes(), &signer, visit.now).map_err(unavailable)?,
        None => profile.as_bytes().to_vec(),
    };
    let headers = [
        (CONTENT_TYPE, "application/x-apple-aspen-config"),
        (CONTENT_DISPOSITION, "attachment; filename=\"gatepost.mobileconfig\""),
    ];
    Ok((headers, file).into_response())
}

fn profile(console: &Console, settings: &ClientSettings, of: &Profiled<'_>) -> Result<String, Problem> {
    let discovery = discovery(settings, of.address).ok_or(Problem::NotFound)?;
    let port = port(settings).ok_or(Problem::NotFound)?;
    let reversed: Vec<_> = settings.host.rsplit('.').collect();
    let identifier = format!("{}.gatepost.{}", reversed.join("."), of.id);
    let account_identifier = format!("{identifier}.mail");
    let profile = Profile {
        organisation: &console.settings.organisation,
        address: of.address.to_string(),
        incoming: &discovery.incoming,
        host: &settings.host,
        port: port.port,
        password: of.password,
        uuid: uuid(&identifier),
        account_uuid: uuid(&account_identifier),
        identifier,
        account_identifier,
    };
    profile.render().map_err(|error| Problem::unavailable(&error))
}

/// The namespace of names in the DNS (RFC 9562 section 6.6): 6ba7b810-9dad-11d1-80b4-00c04fd430c8.
const NAMESPACE: [u8; 16] =
    [0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];

/// The UUID of a name: always the same one (RFC 9562 section 5.5).
fn uuid(name: &str) -> String {
    let digest = Sha1::new().chain_update(NAMESPACE).chain_update(name.as_bytes()).finalize();
    let mut octets: Vec<u8> = digest.iter().take(16).copied().collect();
    if let Some(version) = octets.get_mut(6) {
        *version = (*version & 0x0f) | 0x50;
    }
    if let Some(variant) = octets.get_mut(8) {
        *variant = (*variant & 0x3f) | 0x80;
    }
    let hexadecimal = |octet: &u8| format!("{octet:02X}");
    let group =
        |skip: usize, take: usize| octets.iter().skip(skip).take(take).map(hexadecimal).collect::<String>();
    [group(0, 4), group(4, 2), group(6, 2), group(8, 2), group(10, 6)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_uuid() {
        // RFC 9562 appendix A.4.
        assert_eq!(uuid("www.example.com"), "2ED6657D-E927-568B-95E1-2665A8AEA6A2");
    }
}
