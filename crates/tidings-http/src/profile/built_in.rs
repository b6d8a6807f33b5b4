//! A profile for each system whose clients must work unchanged.

use tidings_wire::access::IssuedForm;
use tidings_wire::sse::Form;

use super::beside::{Beside, BesideRoute};
use super::spec::{BeatSpec, ProfileError, ProfileSpec};
use super::{CredentialKind, Frame, Profile};

use CredentialKind::{Ticket, Token};

/// What most of them have in common.
const COMMON: ProfileSpec<'static> = ProfileSpec {
    name: "",
    paths: &[],
    greeting: Some("connected"),
    heartbeat: BeatSpec::Comment("ping"),
    every_ms: 30_000,
    form: Form::Object,
    frame: Frame::Payload,
    credentials: &[("token", Token)],
    takes_cookies: false,
    takes_development_user: false,
    says_disconnected: false,
    topics: None,
    refusal_event: None,
    beside: &Beside::NOTHING,
};

static OF_STORIES: Beside = Beside {
    routes: &[
        (BesideRoute::Token, "/api/v1/auth/sse-token"),
        (BesideRoute::Ticket, "/api/v1/events/session"),
    ],
    issued: IssuedForm {
        ticket: "session_id",
        token: "sse_token",
        expires_at: "expires_at",
        is_text: true,
    },
    ticket_refusal: Some("invalid or expired session"),
    ..Beside::NOTHING
};

static OF_DASHBOARD: Beside = Beside {
    routes: &[
        (BesideRoute::TokenByGet, "/api/auth/sse-token"),
        (BesideRoute::Page, "/api/realtime/polling"),
        (BesideRoute::TestEvent, "/api/realtime/test"),
        (BesideRoute::Health, "/api/sse/health"),
        (BesideRoute::HealthAction, "/api/sse/health"),
        (BesideRoute::Monitor, "/api/realtime/monitor"),
    ],
    is_session_first: true,
    takes_admin_roles: true,
    ..Beside::NOTHING
};

static TABLE: [ProfileSpec<'static>; 5] = [
    ProfileSpec {
        name: "chat",
        paths: &["/events"],
        greeting: None,
        credentials: &[("access_token", Token)],
        topics: Some("workspace/{workspace_id}/**"),
        ..COMMON
    },
    ProfileSpec {
        name: "stories",
        paths: &["/api/v1/events/stream"],
        heartbeat: BeatSpec::Event("ping"),
        every_ms: 15_000,
        credentials: &[("session_id", Ticket), ("sse_token", Token)],
        beside: &OF_STORIES,
        ..COMMON
    },
    ProfileSpec {
        name: "dashboard",
        paths: &["/api/sse", "/api/realtime/sse"],
        heartbeat: BeatSpec::Event("ping"),
        form: Form::Envelope,
        frame: Frame::Envelope,
        takes_cookies: true,
        takes_development_user: true,
        says_disconnected: true,
        beside: &OF_DASHBOARD,
        ..COMMON
    },
    ProfileSpec {
        name: "project",
        paths: &["/api/projects/{projectId}/stream"],
        every_ms: 15_000,
        topics: Some("project/{projectId}"),
        ..COMMON
    },
    ProfileSpec {
        name: "portal",
        paths: &["/api/v1/sse"],
        greeting: Some("connection_established"),
        heartbeat: BeatSpec::EventWithoutId("heartbeat"),
        ..COMMON
    },
];

/// The profiles that are there unless they are switched off.
///
/// # Panics
///
/// If the table breaks a rule of profiles, which every test of one would show.
pub fn built_in() -> Vec<Profile> {
    let profiles: Result<_, ProfileError> = TABLE.iter().map(Profile::new).collect();
    profiles.expect("the table is right, which every test of a profile shows")
}
