//! The TXT record by which a domain says that it has a policy, and which (RFC 8461 section 3.1).

/// The id of the policy, if there is exactly one record that says so and it is well formed.
pub(super) fn id_of(texts: &[String]) -> Option<&str> {
    let mut records = texts.iter().filter_map(|text| fields_of(text));
    let fields = records.next()?;
    if records.next().is_some() {
        return None;
    }
    fields.split(';').find_map(|field| id(field.trim()))
}

/// What stands behind the version.
fn fields_of(text: &str) -> Option<&str> {
    text.strip_prefix("v=STSv1")?.trim_start().strip_prefix(';')
}

fn id(field: &str) -> Option<&str> {
    let id = field.strip_prefix("id=")?;
    let is_id = (1..=32).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_alphanumeric());
    is_id.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_a_policy_if_one_record_says_so() {
        for (texts, id) in [
            (&["v=STSv1; id=20160831085700Z;"][..], Some("20160831085700Z")),
            (&["v=STSv1;id=1"], Some("1")),
            (&["v=STSv1 ; future=x ; id=1 ;"], Some("1")),
            (&["v=spf1 -all", "v=STSv1; id=2"], Some("2")),
            (&["v=STSv1; id=1", "v=STSv1; id=2"], None),
            (&["v=STSv1; id=1", "v=STSv1; id=1"], None),
            (&["v=STSv1; id="], None),
            (&["v=STSv1; id=not-alphanumeric"], None),
            (&["v=STSv1; id=123456789012345678901234567890123"], None),
            (&["v=STSv1"], None),
            (&["v=STSv2; id=1"], None),
            (&["V=STSv1; id=1"], None),
            (&["id=1; v=STSv1"], None),
            (&[], None),
        ] {
            let texts: Vec<_> = texts.iter().map(ToString::to_string).collect();
            assert_eq!(id_of(&texts), id, "{texts:?}");
        }
    }
}
