//! What can go wrong with a request to the API: each kind of problem with its status, its title, and what to do about it.
//!
//! The codes are a promise, like the members of a view: programs decide by them. `GET /problems/CODE` says the same to people.

use axum::http::StatusCode;

/// A kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Its name for programs, in kebab case.
    pub(crate) code: &'static str,
    /// The status of the answer.
    pub(crate) status: u16,
    /// What it is, in a few words that are the same each time.
    pub(crate) title: &'static str,
    /// What it means, and what to do.
    pub(crate) advice: &'static str,
}

impl Kind {
    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// The kind of problem with this code.
pub(crate) fn of(code: &str) -> Option<&'static Kind> {
    ALL.iter().find(|kind| kind.code == code)
}

/// What is wrong where nothing more is known than the status.
pub(crate) fn of_status(status: StatusCode) -> &'static Kind {
    ALL.iter().find(|kind| kind.status == status.as_u16()).unwrap_or(&UNAVAILABLE)
}

const fn kind(code: &'static str, status: u16, title: &'static str, advice: &'static str) -> Kind {
    Kind { code, status, title, advice }
}

pub(crate) const NOT_JSON: Kind = kind(
    "not-json",
    400,
    "The body is not JSON",
    "Send one JSON value in UTF-8, nested no deeper than 64 levels. The detail says at which line and column it is none.",
);
pub(crate) const BAD_REQUEST: Kind = kind(
    "bad-request",
    400,
    "The request can't be understood",
    "Percent-encode what stands in the path and behind the question mark, in UTF-8.",
);
pub(crate) const INVALID_TOKEN: Kind = kind(
    "invalid-token",
    401,
    "No valid token",
    "Send a token that is good here and now as `Authorization: Bearer gp_…`. Tokens end, are revoked, and may be good from some networks alone; \
     all of these are told alike. Tokens are made on the page /account/tokens, or by `gatepost token create`.",
);
pub(crate) const MISSING_SCOPE: Kind = kind(
    "missing-scope",
    403,
    "The token lacks a scope",
    "The detail names the scope. Make another token that has it: a token can't be widened.",
);
pub(crate) const NOT_ADMINISTRATOR: Kind = kind(
    "not-administrator",
    403,
    "The owner of the token is no administrator",
    "A token does no more than its owner may. For administration its owner has to be an administrator, with a second factor unless \
     web.admin_needs_second_factor is off.",
);
pub(crate) const NOT_FOUND: Kind = kind(
    "not-found",
    404,
    "Not found",
    "There is nothing at this path, or it is another account's. See the paths in /api/v1/openapi.json.",
);
pub(crate) const METHOD_NOT_ALLOWED: Kind = kind(
    "method-not-allowed",
    405,
    "The method is not allowed",
    "The header Allow says which methods there are at this path.",
);
pub(crate) const NOT_ACCEPTABLE: Kind = kind(
    "not-acceptable",
    406,
    "No answer would be accepted",
    "Answers are application/json, and problems application/problem+json: accept these, or leave the header Accept out.",
);
pub(crate) const TIMED_OUT: Kind = kind(
    "timed-out",
    408,
    "The request has not come to its end",
    "A request has to be sent and answered within 30 seconds. What it was to change may have been changed: look before you repeat it, or use \
     an Idempotency-Key.",
);
pub(crate) const RUNNING: Kind = kind(
    "idempotency-running",
    409,
    "The same request is still under way",
    "A request with this Idempotency-Key has not been answered yet. Repeat it in some seconds.",
);
pub(crate) const LAST_ADMINISTRATOR: Kind = kind(
    "last-administrator",
    409,
    "The last administrator",
    "Nobody else could administer any more. Make another administrator first.",
);
pub(crate) const CONFLICT: Kind = kind(
    "conflict",
    409,
    "Not as things are now",
    "What is asked for is not possible as things are. Nothing was changed.",
);
pub(crate) const PRECONDITION_FAILED: Kind = kind(
    "precondition-failed",
    412,
    "It was changed meanwhile",
    "The ETag in If-Match is not that of the object any more. Get it again, see what has changed, and repeat.",
);
pub(crate) const TOO_LARGE: Kind =
    kind("too-large", 413, "The body is too large", "A body has 64 KiB at most.");
pub(crate) const UNSUPPORTED_MEDIA_TYPE: Kind = kind(
    "unsupported-media-type",
    415,
    "The body is of another kind",
    "Send application/json; PATCH takes application/merge-patch+json, too.",
);
pub(crate) const MISDIRECTED: Kind =
    kind("misdirected", 421, "The request is for another host", "Ask by the host of web.base_url.");
pub(crate) const INVALID: Kind = kind(
    "invalid",
    422,
    "The request is not valid",
    "Each of `errors` says what is wrong with a member of the body, by a JSON pointer, or with a parameter, by its name. Nothing was changed.",
);
pub(crate) const KEY_REUSED: Kind = kind(
    "idempotency-key-reused",
    422,
    "The Idempotency-Key was used for another request",
    "A key stands for one request: its method, its path and its body. Choose another key.",
);
pub(crate) const PRECONDITION_REQUIRED: Kind = kind(
    "precondition-required",
    428,
    "If-Match is needed",
    "Get the object, and send its ETag as If-Match, so that nobody's change is lost. `If-Match: *` takes it as it is.",
);
pub(crate) const TOO_MANY_REQUESTS: Kind = kind(
    "too-many-requests",
    429,
    "Too many requests",
    "Wait for as many seconds as Retry-After says. RateLimit tells how many are left.",
);
pub(crate) const UNAVAILABLE: Kind = kind(
    "unavailable",
    503,
    "Out of order",
    "The server can't do it now; its log says why, at the identifier in `request`. Try again later.",
);

/// Every kind of problem there is.
pub(crate) const ALL: &[Kind] = &[
    BAD_REQUEST,
    NOT_JSON,
    INVALID_TOKEN,
    MISSING_SCOPE,
    NOT_ADMINISTRATOR,
    NOT_FOUND,
    kind("no-account", 404, "No such account", "See the list of accounts for its address now."),
    kind("no-app-password", 404, "No such app password", "It was revoked, or is another account's."),
    kind("no-certificate", 404, "No such certificate", "It was removed, or is another account's."),
    kind("no-session", 404, "No such session", "It has ended, or is another account's."),
    kind("no-identity", 404, "No such identity", "The account may not send as this."),
    kind("no-message", 404, "No such message", "It is not there any more, or is another account's."),
    kind("second-factor-off", 404, "The second factor is off", "There is none to be seen or switched off."),
    METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE,
    TIMED_OUT,
    CONFLICT,
    RUNNING,
    LAST_ADMINISTRATOR,
    kind(
        "unexpected-number",
        409,
        "More messages than expected",
        "Nothing was done: more messages fit the filter than `expected` said. Look at them again, and send the new number.",
    ),
    kind("account-exists", 409, "There is such an account", "Choose another address."),
    kind("certificate-exists", 409, "The certificate is in use", "A certificate is one account's alone."),
    kind("identity-exists", 409, "There is such an identity", "The account may send as this already."),
    kind("too-many", 409, "As many as there may be", "Revoke one that is not used any more."),
    kind("ambiguous", 409, "More than one fits", "Name it by its whole identifier."),
    kind("changed", 409, "The account was changed meanwhile", "Nothing was made. Repeat the request."),
    kind("overtaken", 409, "Somebody else was faster", "Look at what is there now."),
    kind("held", 409, "The message is held", "Release it first; only an administrator can."),
    kind("too-late", 409, "It can't be taken back any more", "It is on its way, or was delivered."),
    kind("done", 409, "Nobody waits for the message", "It was delivered, returned or removed already."),
    kind("nobody-to-tell", 409, "There is no sender to tell", "Remove the message instead of returning it."),
    kind(
        "damaged-message",
        409,
        "The message is damaged",
        "Its envelope is not what was stored. Restore it from a backup, or tell its sender yourself and remove it.",
    ),
    kind(
        "held-by-route",
        409,
        "The route of its recipients holds it",
        "Give the route another `via` in [delivery], restart the server, and release it then.",
    ),
    PRECONDITION_FAILED,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    MISDIRECTED,
    INVALID,
    KEY_REUSED,
    kind(
        "not-covered",
        422,
        "Not one of the account's senders",
        "An app password may allow less than its account.",
    ),
    kind("own-address", 422, "The account's own address", "It needs no identity for that."),
    kind("undo-too-long", 422, "Longer than can be chosen", "submission.undo_max is the longest time."),
    PRECONDITION_REQUIRED,
    TOO_MANY_REQUESTS,
    kind(
        "not-audited",
        503,
        "Done, but not in the audit trail",
        "It was done, and the audit trail could not be written. See the log of the server.",
    ),
    UNAVAILABLE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_there_once_in_kebab_case_in_the_order_of_its_status() {
        let codes: Vec<_> = ALL.iter().map(|kind| kind.code).collect();
        let distinct: std::collections::BTreeSet<_> = codes.iter().collect();
        assert_eq!(distinct.len(), codes.len());
        assert!(ALL.is_sorted_by_key(|kind| kind.status), "{codes:?}");
        for kind in ALL {
            assert!(kind.code.bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'-'), "{kind:?}");
            assert!(kind.advice.ends_with('.') && !kind.title.ends_with('.'), "{kind:?}");
            assert_eq!(kind.status().as_u16(), kind.status);
            assert_eq!(of(kind.code), Some(kind));
        }
    }
}
