//! Answers questions, or fails to.

use std::sync::Arc;

use async_trait::async_trait;
use hickory_resolver::net::runtime::Time;
use hickory_resolver::proto::op::{Header, HeaderCounts, Metadata, ResponseCode};
use hickory_resolver::proto::rr::{Record, RecordType};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;

use super::zones;
use super::{Failure, Forged, World};

/// Answers as its world says.
#[derive(Clone)]
pub(super) struct Handler(pub(super) Arc<World>);

#[async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut response: R,
    ) -> ResponseInfo {
        let Ok(question) = request.request_info().map(|info| info.query.clone()) else {
            return nothing(request);
        };
        let (name, kind) = (question.name().to_ascii(), question.query_type());
        match self.0.hear(name.trim_end_matches('.'), kind.to_string()) {
            Some(Failure::Silence) => nothing(request),
            Some(Failure::ServFail) => {
                let failed = MessageResponseBuilder::from_message_request(request)
                    .error_msg(&request.metadata, ResponseCode::ServFail);
                response.send_response(failed).await.unwrap()
            }
            Some(Failure::NoRecords(by)) => {
                deny(request, response, ResponseCode::NoError, &zones::forged(by)).await
            }
            Some(Failure::NoName) => {
                let by = zones::forged(Forged::Soa);
                deny(request, response, ResponseCode::NXDomain, &by).await
            }
            None => {
                let zones = self.0.zones();
                let catalog = if kind == RecordType::DS { &zones.above } else { &zones.all };
                catalog.handle_request::<R, T>(request, response).await
            }
        }
    }
}

fn nothing(request: &Request) -> ResponseInfo {
    let metadata = Metadata::response_from_request(&request.metadata);
    ResponseInfo::from(Header { metadata, counts: HeaderCounts::default() })
}

/// Says that there is nothing, with this record as if it were why.
async fn deny<R: ResponseHandler>(
    request: &Request,
    mut response: R,
    code: ResponseCode,
    why: &Record,
) -> ResponseInfo {
    let mut metadata = Metadata::response_from_request(&request.metadata);
    metadata.response_code = code;
    let denial = MessageResponseBuilder::from_message_request(request).build(metadata, [], [why], [], []);
    response.send_response(denial).await.unwrap()
}
