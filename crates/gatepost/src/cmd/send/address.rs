//! Addresses, as they are given and as they stand in a header.

use types::{EnvelopeRecipient, ForwardPath, Mailbox, ReversePath};

/// A recipient, for clap and for the CSV. It is not completed by a default domain: that is for accounts of this server.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn recipient(given: &str) -> Result<EnvelopeRecipient, String> {
    match ForwardPath::take(&format!("<{given}>")) {
        Ok((path @ ForwardPath::Mailbox(_), "")) => Ok(path.into()),
        Ok(_) => Err(example("there is more than an address")),
        Err(error) => Err(example(&error.to_string())),
    }
}

/// A sender, for clap. A default domain does not complete it either.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn sender(given: &str) -> Result<ReversePath, String> {
    match ReversePath::take(&format!("<{given}>")) {
        Ok((path @ ReversePath::Mailbox(_), "")) => Ok(path),
        Ok(_) => Err(example("it has to be one address")),
        Err(error) => Err(example(&error.to_string())),
    }
}

fn example(fault: &str) -> String {
    format!("{fault}; write an address like alice@example.org, without a name")
}

/// The address as it stands in a header: with its domain in ASCII, which every reader knows. A local part has no other form.
pub(crate) fn in_header(mailbox: &Mailbox) -> String {
    let (given, host) = (mailbox.to_string(), mailbox.host());
    match given.strip_suffix(host.to_string().as_str()) {
        Some(local_part) if !host.is_ascii() => format!("{local_part}{}", host.normal()),
        _ => given,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_name_no_brackets_and_one_at_sign() {
        assert!(recipient("alice@example.org").is_ok() && sender("alice@example.org").is_ok());
        for given in
            ["", "alice", "Alice <alice@example.org>", "<alice@example.org>", "a@b.example> x", "a@b\r\nRCPT"]
        {
            assert!(recipient(given).is_err() && sender(given).is_err(), "{given:?}");
        }
    }

    #[test]
    fn a_domain_is_written_in_ascii() {
        let shown = |given| in_header(&Mailbox::parse(given).unwrap());
        assert_eq!(shown("a@bücher.example"), "a@xn--bcher-kva.example");
        assert_eq!(shown("Bob@Example.ORG"), "Bob@Example.ORG");
        assert_eq!(shown("grün@example.org"), "grün@example.org");
    }
}
