//! Requests that another site has its visitors make: refused, whatever else is right about them.

use axum::http::HeaderMap;

/// By which browsers say from what a request comes (Fetch Metadata).
const SITE: &str = "sec-fetch-site";

/// Whether one of our own pages has made this request. A browser says so by one of two headers at least; whoever sends neither is no browser
/// of these years, and no page of ours.
pub(crate) fn is_from_here(headers: &HeaderMap, host: &str, is_https: bool) -> bool {
    let scheme = if is_https { "https" } else { "http" };
    let ours = format!("{scheme}://{host}");
    let (site, origin) = (said(headers, SITE), said(headers, "origin"));
    let is_known = !site.is_empty() || !origin.is_empty();
    is_known && site.iter().all(|site| *site == "same-origin") && origin.iter().all(|origin| *origin == ours)
}

/// Each value of the header; what is no text is a value that fits nothing.
fn said<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(said: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in said {
            headers.append(*name, value.parse().unwrap());
        }
        is_from_here(&headers, "mail.example.org", true)
    }

    #[test]
    fn whatever_says_where_it_comes_from_has_to_say_from_here() {
        let (here, away) = ("https://mail.example.org", "https://evil.test");
        assert!(taken(&[(SITE, "same-origin")]));
        assert!(taken(&[("origin", here)]));
        assert!(taken(&[(SITE, "same-origin"), ("origin", here)]));
        for wrong in [
            vec![],
            vec![("origin", away)],
            vec![("origin", "null")],
            vec![("origin", "http://mail.example.org")],
            vec![("origin", "https://mail.example.org:8443")],
            vec![(SITE, "cross-site")],
            vec![(SITE, "same-site"), ("origin", here)],
            vec![(SITE, "none")],
            vec![(SITE, "same-origin"), ("origin", away)],
            vec![("origin", here), ("origin", away)],
        ] {
            assert!(!taken(&wrong), "{wrong:?}");
        }
    }
}
