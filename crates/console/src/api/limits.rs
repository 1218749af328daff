//! How much an account may send, for administration.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::routing::on;
use desk::view;
use serde::{Deserialize, Deserializer};
use store::{LimitChange, LimitChanges, OwnLimit};
use types::Scope;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::answer::Shown;
use super::body::Body;
use super::caller::{Caller, Subject};
use super::condition::IfMatch;
use super::failure::Failure;
use super::operation::Operation;
use crate::console::Console;
use crate::right::{Right, Route};

const PATH: &str = "/api/v1/admin/accounts/{address}/limits";

pub(crate) const ROUTES: &[Route] = &[
    Route::api(Method::GET, PATH, Right::Token(Scope::LimitsRead), |method| on(method, show), SHOW),
    Route::api(Method::PATCH, PATH, Right::Token(Scope::LimitsWrite), |method| on(method, change), CHANGE),
];

const SHOW: Operation = Operation::new("getLimits", "Shows how much an account has sent of what it may")
    .shows::<view::Sending>("Sending")
    .of_any("getLimits");
const CHANGE: Operation = Operation::new("changeLimits", "Changes the limits of an account that are named")
    .takes::<Patch>("LimitsPatch")
    .shows::<view::Sending>("Sending")
    .if_match()
    .of_any("changeLimits");

/// The largest limit that can be written, as in the configuration.
const MOST: u32 = 10_000_000;

/// The limits that are to be changed: a number, `"none"` for no limit, `null` for that of the configuration. What is not there stays as it is.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Patch {
    /// Messages in an hour.
    #[serde(default)]
    #[schema(value_type = Option<OwnLimitWish>)]
    messages_per_hour: Wanted,
    /// Messages in a day.
    #[serde(default)]
    #[schema(value_type = Option<OwnLimitWish>)]
    messages_per_day: Wanted,
    /// Recipients in an hour.
    #[serde(default)]
    #[schema(value_type = Option<OwnLimitWish>)]
    recipients_per_hour: Wanted,
    /// Recipients in a day.
    #[serde(default)]
    #[schema(value_type = Option<OwnLimitWish>)]
    recipients_per_day: Wanted,
    /// Recipients in a day that the account never sent to before.
    #[serde(default)]
    #[schema(value_type = Option<OwnLimitWish>)]
    new_recipients_per_day: Wanted,
}

/// A limit that an account gets of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum OwnLimitWish {
    /// So many, from 1 to 10 million.
    AtMost(u32),
    /// As many as it likes.
    Word(Unlimited),
}

/// No limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unlimited {
    None,
}

impl PartialSchema for OwnLimitWish {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MOST));
        let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["none"]));
        OneOfBuilder::new().item(number).item(word).into()
    }
}

impl ToSchema for OwnLimitWish {
    fn name() -> Cow<'static, str> {
        "OwnLimit".into()
    }
}

/// What is to become of a limit.
#[derive(Debug, Clone, Copy, Default)]
struct Wanted(LimitChange);

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || serde::de::Error::custom(format!("write 1 to {MOST}, \"none\" or null"));
        let wish = Option::<serde_json::Value>::deserialize(deserializer)?;
        let wish = wish.map(serde_json::from_value).transpose().map_err(|_| wrong())?;
        Ok(Self(LimitChange::Set(match wish {
            None => None,
            Some(OwnLimitWish::Word(Unlimited::None)) => Some(OwnLimit::Unlimited),
            Some(OwnLimitWish::AtMost(number)) if (1..=MOST).contains(&number) => {
                Some(OwnLimit::AtMost(number))
            }
            Some(OwnLimitWish::AtMost(_)) => return Err(wrong()),
        })))
    }
}

async fn show(
    State(console): State<Arc<Console>>,
    subject: Subject,
) -> Result<Shown<view::Sending>, Failure> {
    Ok(Shown(console.desk().sending_of(&subject.account).await?))
}

async fn change(
    State(console): State<Arc<Console>>,
    caller: Caller,
    if_match: IfMatch,
    subject: Subject,
    Body(patch): Body<Patch>,
) -> Result<Shown<view::Sending>, Failure> {
    let (desk, account) = (console.desk(), &subject.account);
    if_match.see(&desk.sending_of(account).await?)?;
    desk.change_limits(&caller.act(), account, &patch.changes()).await?;
    Ok(Shown(desk.sending_of(account).await?))
}

impl Patch {
    fn changes(&self) -> LimitChanges {
        LimitChanges {
            messages_per_hour: self.messages_per_hour.0,
            messages_per_day: self.messages_per_day.0,
            recipients_per_hour: self.recipients_per_hour.0,
            recipients_per_day: self.recipients_per_day.0,
            new_recipients_per_day: self.new_recipients_per_day.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_none_or_null_for_the_default() {
        let read = |text: &str| {
            let patch: Result<Patch, _> = serde_json::from_str(&format!("{{\"messages_per_day\": {text}}}"));
            patch.map(|patch| patch.changes().messages_per_day).ok()
        };
        assert_eq!(read("5"), Some(LimitChange::Set(Some(OwnLimit::AtMost(5)))));
        assert_eq!(read("\"none\""), Some(LimitChange::Set(Some(OwnLimit::Unlimited))));
        assert_eq!(read("null"), Some(LimitChange::Set(None)));
        for wrong in ["0", "-1", "10000001", "\"5\"", "\"all\"", "1.5", "[]"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(serde_json::from_str::<Patch>("{}").unwrap().changes(), LimitChanges::default());
    }
}
