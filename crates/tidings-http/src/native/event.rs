//! `GET /v1/events/{id}`: one event, by its cursor or its publisher's id.

use http::{Response, StatusCode};
use tidings_core::id::EventId;
use tidings_hub::EventName;
use tidings_wire::page;
use tidings_wire::problem::{Code, Problem};

use super::asked;
use crate::app::App;
use crate::authenticate::authenticate_looker;
use crate::call::Call;
use crate::reply::{self, Body, Refusal};
use crate::segment;

/// Answers with the event's envelope. Unknown, forbidden and malformed names are refused alike, so
/// that nobody learns which events there are.
pub(crate) async fn answer(
    app: &App,
    mut call: Call,
    raw_name: &str,
) -> Result<Response<Body>, Refusal> {
    let identity = authenticate_looker(app, &mut call).await?;
    asked::read_nothing(app, &call)?;
    let name = name(raw_name).ok_or_else(unknown)?;
    let event = app.hub().event(&identity, name).await.map_err(|error| {
        tracing::error!(request = %call.request_id, cause = %error, "log could not be read");
        Problem::from(&error)
    })?;
    let event = event.ok_or_else(unknown)?;
    let mut body = Vec::with_capacity(event.content.size_bytes() + 256);
    page::push_event(&event, &mut body);
    Ok(reply::whole(StatusCode::OK, page::CONTENT_TYPE, body))
}

fn name(raw: &str) -> Option<EventName> {
    let text = segment::decode(raw).ok()?;
    match text.parse() {
        Ok(position) => Some(EventName::Position(position)),
        Err(_) => EventId::parse(&text).ok().map(EventName::Id),
    }
}

fn unknown() -> Problem {
    Problem::new(
        Code::NotFound,
        "there is no such event that this identity may read",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_cursor_or_an_id() {
        assert!(matches!(name("7-k3x9f2m4q7"), Some(EventName::Position(_))));
        assert!(matches!(name("order%2D1"), Some(EventName::Id(id)) if id.as_str() == "order-1"));
        for bad in ["%", "a%2Fb", "a%20b", "%2561", "007-k3x9f2m4q7"] {
            assert_eq!(name(bad), None, "{bad}");
        }
    }
}
