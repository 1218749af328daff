//! The audit trail.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::routing::on;
use desk::{audited_name, view};
use store::{AuditFilter, AuditResult};
use types::Scope;

use super::failure::Failure;
use super::filter;
use super::operation::{Operation, Parameter};
use super::paging::{List, Paging};
use super::text::Network;
use crate::console::Console;
use crate::list::Query;
use crate::right::{Right, Route};

pub(crate) const ROUTES: &[Route] = &[Route::api(
    Method::GET,
    "/api/v1/admin/audit",
    Right::Token(Scope::AuditRead),
    |method| on(method, list),
    LIST,
)];

const LIST: Operation =
    Operation::new("listAudit", "Lists who logged in or tried to, and what was changed, newest first")
        .lists::<view::AuditEntry>("AuditEntry")
        .filtered_by(&[
            Parameter::text("account", "About this account, which need not exist."),
            Parameter::text("action", "What was done, or tried, such as `login`."),
            Parameter::one_of("result", "What succeeded, or what failed.", filter::results),
            Parameter::text("credential", "By or about this credential."),
            Parameter::text("network", "From this network, or from this address."),
            Parameter::time("since", "Not before this."),
        ]);

async fn list(
    State(console): State<Arc<Console>>,
    query: Query,
    paging: Paging,
) -> Result<List<view::AuditEntry>, Failure> {
    let network: Option<Network> = filter::read(&query, "network")?;
    let wanted = AuditFilter {
        account: query.get("account").map(|name| audited_name(name.to_owned())),
        action: filter::read(&query, "action")?,
        result: query.get("result").and_then(AuditResult::from_name),
        credential: query.get("credential").map(str::to_owned),
        network: network.map(|Network(network)| network),
        since: filter::time(&query, "since")?,
        ..AuditFilter::default()
    };
    Ok(paging.of_sparse(console.desk().audit(&wanted, paging.page()?).await?))
}
