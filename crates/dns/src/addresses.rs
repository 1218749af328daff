//! The addresses of a host: of one family or of both, which are asked about at the same time.

use std::net::IpAddr;

use crate::answer::Answer;
use crate::error::DnsError;

/// Which addresses are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// IPv4 alone.
    V4,
    /// IPv6 and IPv4.
    Both,
}

/// What a host has of both families. One that has an address of either is there; if it has none, and one question is without an answer,
/// it may yet have one, and more of them if it has some.
///
/// # Errors
/// When there is an address of neither: the error of which something can still come, else that of the name.
pub(crate) fn both(
    v6: Result<Answer<IpAddr>, DnsError>,
    v4: Result<Answer<IpAddr>, DnsError>,
) -> Result<Answer<IpAddr>, DnsError> {
    match (v6, v4) {
        (Ok(mut v6), Ok(v4)) => {
            v6.records.extend(v4.records);
            v6.proven &= v4.proven;
            Ok(v6)
        }
        (Ok(one), Err(error)) | (Err(error), Ok(one)) => {
            Ok(Answer { open: error.is_temporary().then_some(error), ..one })
        }
        (Err(v6), Err(v4)) => Err(if v6.is_temporary() { v6 } else { v4 }),
    }
}

#[cfg(test)]
mod tests {
    use types::Domain;

    use super::*;
    use crate::error::RecordKind;

    fn found(address: &str, proven: bool) -> Result<Answer<IpAddr>, DnsError> {
        let name = Domain::parse("mx.example").unwrap();
        Ok(Answer { records: vec![address.parse().unwrap()], proven, name, open: None })
    }

    fn temporary() -> Result<Answer<IpAddr>, DnsError> {
        Err(DnsError::out_of_time("mx.example".to_owned()))
    }

    fn none(kind: RecordKind) -> Result<Answer<IpAddr>, DnsError> {
        Err(DnsError::NoSuchRecords { name: "mx.example".to_owned(), kind })
    }

    #[test]
    fn a_host_with_an_address_of_either_family_is_there() {
        let (v6, v4) = ("2001:db8::1", "192.0.2.1");
        let of = |v6, v4| both(v6, v4).map(|answer| (answer.records.len(), answer.proven));
        assert_eq!(of(found(v6, true), found(v4, true)), Ok((2, true)));
        assert_eq!(of(found(v6, true), found(v4, false)), Ok((2, false)));
        assert_eq!(of(none(RecordKind::Aaaa), found(v4, true)), Ok((1, true)));
        assert_eq!(of(temporary(), found(v4, true)), Ok((1, true)));
        assert_eq!(of(found(v6, false), temporary()), Ok((1, false)));
    }

    #[test]
    fn a_host_may_have_more_addresses_while_one_question_is_open() {
        let (v6, v4) = ("2001:db8::1", "192.0.2.1");
        let open = |v6, v4| both(v6, v4).unwrap().open.is_some();
        assert!(open(temporary(), found(v4, true)) && open(found(v6, true), temporary()));
        assert!(!open(none(RecordKind::Aaaa), found(v4, true)) && !open(found(v6, true), found(v4, true)));
    }

    #[test]
    fn without_an_address_the_question_that_is_open_counts() {
        for (v6, v4) in [(temporary(), none(RecordKind::A)), (none(RecordKind::Aaaa), temporary())] {
            assert!(both(v6, v4).unwrap_err().is_temporary());
        }
        let error = both(none(RecordKind::Aaaa), none(RecordKind::A)).unwrap_err();
        assert_eq!(error.to_string(), "mx.example has no A record in the DNS");
    }
}
