//! The same for all messages in the queue that a filter finds.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::routing::on;
use desk::{Expected, Operated, Trouble};
use serde::{Deserialize, Serialize};
use store::Operation as Does;
use types::Scope;

use super::answer::Shown;
use super::body::Body;
use super::caller::Caller;
use super::failure::Failure;
use super::operation::Operation;
use super::queue_filter::Words;
use crate::console::Console;
use crate::right::{Right, Route};

pub(crate) const ROUTES: &[Route] = &[Route::api(
    Method::POST,
    "/api/v1/admin/queue/actions",
    Right::Token(Scope::QueueWrite),
    |method| on(method, act),
    ACT,
)];

const ACT: Operation = Operation::new("actOnQueue", "Does the same to every message that a filter finds")
    .takes::<Wish>("QueueAction")
    .shows::<Outcome>("QueueActionOutcome")
    .or(&["unexpected-number", "not-audited"]);

/// What is to be done to which messages.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// What is to be done.
    #[schema(inline)]
    action: Action,
    /// To which messages. An empty filter means every message.
    #[schema(inline)]
    filter: Words,
    /// How many there are. If there are more by now, nothing is done.
    expected: u32,
}

/// What can be done to messages that wait.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Action {
    Hold,
    Release,
    Retry,
    Bounce,
    Remove,
}

/// What came of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Outcome {
    /// Messages that it was done to.
    done: Vec<String>,
    /// Messages that were left as they are, and why; each is named in its detail.
    #[schema(inline)]
    left: Vec<Left>,
}

/// Why a message was left as it is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Left {
    /// Why, for programs: a code of problems.
    code: &'static str,
    /// Why, in a sentence.
    detail: String,
}

async fn act(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Body(wish): Body<Wish>,
) -> Result<Shown<Outcome>, Failure> {
    let desk = console.desk();
    let wanted = wish.filter.meaning(&console, caller.now).await?;
    let expected = Expected::AtMost(usize::try_from(wish.expected).unwrap_or(usize::MAX));
    let operated = desk.operate_on_found(&caller.act(), wish.action.operation(), &wanted, expected).await?;
    let Operated { done, partly: _, left, broken_off } = operated;
    // Who is told of nothing but what broke it off would not know what was done.
    let left = left.iter().chain(&broken_off).map(Left::of).collect();
    Ok(Shown(Outcome { done: done.iter().map(ToString::to_string).collect(), left }))
}

impl Action {
    fn operation(self) -> Does {
        match self {
            Self::Hold => Does::Hold,
            Self::Release => Does::Release,
            Self::Retry => Does::Retry,
            Self::Bounce => Does::Bounce,
            Self::Remove => Does::Remove,
        }
    }
}

impl Left {
    fn of(trouble: &Trouble) -> Self {
        let detail = match trouble {
            Trouble::Unavailable(_) => "the store failed; what is told in neither list was left".to_owned(),
            other => other.to_string(),
        };
        Self { code: trouble.code(), detail }
    }
}
