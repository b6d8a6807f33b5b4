//! `GET /v1/profiles`: as which endpoints of server-sent events this hub can be reached.

use http::{Response, StatusCode};
use serde_json::{Map, Value, json};
use tidings_core::event_type::EventType;
use tidings_wire::sse::Beat;

use super::{CredentialKind, Frame, PathTemplate, Profile, Refusals};
use crate::app::App;
use crate::reply::{self, Body};

/// Where the hub's own profile has its stream.
const NATIVE_PATH: &str = "/v1/stream";

/// The words of the hub's own profile, which has no other dialect.
const NATIVE_GREETING: &str = "tidings.hello";
const NATIVE_BEAT: &str = "tidings.ping";

/// Answers with all of them; nothing in it is a secret.
pub(crate) fn answer(app: &App) -> Response<Body> {
    let settings = app.settings();
    let profiles = &settings.profiles;
    let all = std::iter::once(&profiles.native).chain(&profiles.others);
    let shown = all.map(|spoken| shown(&spoken.profile, settings.heartbeat_ms));
    let body = json!({ "profiles": shown.collect::<Vec<_>>() });
    reply::whole(StatusCode::OK, "application/json", body.to_string())
}

fn shown(profile: &Profile, heartbeat_ms: u32) -> Value {
    let paths: Vec<&str> = profile.paths.iter().map(PathTemplate::as_str).collect();
    let credentials = profile.credentials.iter().map(|credential| {
        let kind = match credential.kind {
            CredentialKind::Ticket => "ticket",
            CredentialKind::Token => "token",
        };
        (credential.parameter.clone(), kind.into())
    });
    let refusals = match &profile.refusals {
        Refusals::Status => None,
        Refusals::Event(event_type) => Some(event_type.as_str()),
    };
    let routes: Vec<String> = profile
        .beside
        .routes
        .iter()
        .map(|(route, path)| format!("{} {path}", route.method()))
        .collect();
    let greeting = profile
        .dialect
        .as_ref()
        .map_or(Some(NATIVE_GREETING), |dialect| {
            dialect.greeting.as_ref().map(EventType::as_str)
        });
    let every_ms = profile
        .heartbeat
        .map_or(heartbeat_ms, |heartbeat| heartbeat.every_ms);
    json!({
        "name": profile.name,
        "paths": if paths.is_empty() { vec![NATIVE_PATH] } else { paths },
        "credentials": credentials.collect::<Map<_, _>>(),
        "cookies": profile.takes_cookies,
        "greeting": greeting,
        "heartbeat": beat(profile, every_ms),
        "frame": match profile.frame {
            Frame::Envelope => "envelope",
            Frame::Payload => "payload",
        },
        "topics": profile.topics.as_ref().map(ToString::to_string),
        "refusals": refusals,
        "routes": routes,
    })
}

/// The sign of life: a comment, or an event with or without an id.
fn beat(profile: &Profile, every_ms: u32) -> Value {
    match profile.dialect.as_ref().map(|dialect| &dialect.heartbeat) {
        None => json!({ "event": NATIVE_BEAT, "id": true, "everyMs": every_ms }),
        Some(Beat::Comment(word)) => json!({ "comment": word.as_str(), "everyMs": every_ms }),
        Some(Beat::Event(name)) => {
            json!({ "event": name.as_str(), "id": true, "everyMs": every_ms })
        }
        Some(Beat::EventWithoutId(name)) => {
            json!({ "event": name.as_str(), "id": false, "everyMs": every_ms })
        }
    }
}
