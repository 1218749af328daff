//! Lists in pages, fifty rows each: what they are filtered by, and the link to the next.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jiff::Timestamp;
use store::AuditPlace;
use url::form_urlencoded;

use crate::problem::Problem;

/// Rows of a page.
pub(crate) const ROWS: u32 = 50;

/// Whether a page has as many rows as it can: there may be more behind it.
pub(crate) fn is_full(rows: usize) -> bool {
    rows == usize::try_from(ROWS).unwrap_or(usize::MAX)
}

/// A place in the audit trail, as a link has it.
pub(crate) fn audit_link((at, number): AuditPlace) -> String {
    format!("{}.{number}", at.as_millisecond())
}

/// The place in the audit trail that a link says.
pub(crate) fn audit_place(text: &str) -> Option<AuditPlace> {
    let (at, number) = text.split_once('.')?;
    Some((Timestamp::from_millisecond(at.parse().ok()?).ok()?, number.parse().ok()?))
}

/// What stands behind the question mark: what a list is filtered by, and behind which row it begins.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

/// The field that names a place in a list.
const AFTER: &str = "after";

impl Query {
    /// What is asked for by this name; `None` if nothing is.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty())
    }

    /// All that is asked for by this name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let found = self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty())
    }

    /// The place behind which the list begins, if `read` understands it.
    ///
    /// # Errors
    /// [`Problem::NotFound`] if it does not: no link of ours says it so.
    pub(crate) fn after<T>(&self, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        self.get(AFTER).map(|text| read(text).ok_or(Problem::NotFound)).transpose()
    }

    /// The link to what comes behind this place, with the same filter.
    pub(crate) fn next(&self, path: &str, after: &str) -> String {
        format!("{path}?{}", self.filter().append_pair(AFTER, after).finish())
    }

    /// The link to another page with the same filter.
    pub(crate) fn elsewhere(&self, path: &str) -> String {
        format!("{path}?{}", self.filter().finish()).trim_end_matches('?').to_owned()
    }

    fn filter(&self) -> form_urlencoded::Serializer<'static, String> {
        let kept = self.0.iter().filter(|(key, value)| key != AFTER && !value.trim().is_empty());
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept);
        query
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_has_the_same_filter_and_another_place() {
        let query = form_urlencoded::parse(b"account=a%26b&state=&after=old").into_owned().collect();
        let query = Query(query);
        assert_eq!((query.get("account"), query.get("state")), (Some("a&b"), None));
        assert_eq!(query.next("/admin/queue", "new one"), "/admin/queue?account=a%26b&after=new+one");
        assert_eq!(query.elsewhere("/admin/audit.csv"), "/admin/audit.csv?account=a%26b");
        assert_eq!(Query::default().elsewhere("/admin/audit.csv"), "/admin/audit.csv");
        assert_eq!(query.after(|text| text.parse::<u8>().ok()), Err(Problem::NotFound));
        assert_eq!(query.after(|text| Some(text.to_owned())), Ok(Some("old".to_owned())));
    }

    #[test]
    fn a_link_leads_to_the_place_in_the_trail_that_it_was_made_of() {
        let place = (Timestamp::from_millisecond(1_800_000_000_123).unwrap(), 42);
        assert_eq!(audit_place(&audit_link(place)), Some(place));
        assert_eq!(audit_place("x.y"), None);
    }
}
