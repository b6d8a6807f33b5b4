//! What a profile has beside its stream: the other routes of the server that its clients were made for,
//! each of them a thin one onto a handler of the hub's own.

use http::{Method, Response};
use tidings_wire::access::IssuedForm;

use crate::app::App;
use crate::call::Call;
use crate::reply::{Body, Refusal};
use crate::{access, native, operator};

/// Routes beside a stream, and what their clients expect of them.
#[derive(Debug, PartialEq, Eq)]
pub struct Beside {
    /// What is there, and where.
    pub(crate) routes: &'static [(BesideRoute, &'static str)],
    /// How tickets and tokens are handed out.
    pub(crate) issued: IssuedForm,
    /// What is said of a ticket that is not good, whatever is wrong with it.
    pub(crate) ticket_refusal: Option<&'static str>,
    /// Whether the cookie of a session is looked at before a token in the URL, and that before a header.
    pub(crate) is_session_first: bool,
    /// Whether the roles of `auth.admin_roles` administer here.
    pub(crate) takes_admin_roles: bool,
}

/// One kind of route beside a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BesideRoute {
    /// Hands out a ticket.
    Ticket,
    /// Hands out a stream token.
    Token,
    /// The same, for whoever fetches it with `GET`.
    TokenByGet,
    /// One page of events, for whoever has to poll.
    Page,
    /// Publishes an event, to see whether it arrives.
    TestEvent,
    /// How the hub is.
    Health,
    /// What an administrator has done about it.
    HealthAction,
    /// What goes on.
    Monitor,
}

impl Beside {
    /// Nothing beside the stream.
    pub const NOTHING: Self = Self {
        routes: &[],
        issued: IssuedForm::NATIVE,
        ticket_refusal: None,
        is_session_first: false,
        takes_admin_roles: false,
    };

    /// Where a client reads that cannot have a stream, if there is such a route.
    pub(crate) fn polling(&self) -> Option<&'static str> {
        let mut routes = self.routes.iter();
        routes
            .find(|(route, _)| *route == BesideRoute::Page)
            .map(|(_, path)| *path)
    }
}

impl BesideRoute {
    pub(crate) fn method(self) -> Method {
        match self {
            Self::Ticket | Self::Token | Self::TestEvent | Self::HealthAction => Method::POST,
            Self::TokenByGet | Self::Page | Self::Health | Self::Monitor => Method::GET,
        }
    }
}

/// Has a handler of the hub's own answer.
pub(crate) async fn answer(
    app: &App,
    call: Call,
    route: BesideRoute,
) -> Result<Response<Body>, Refusal> {
    match route {
        BesideRoute::Ticket => access::issue::ticket(app, call).await,
        BesideRoute::Token | BesideRoute::TokenByGet => access::issue::token(app, call).await,
        BesideRoute::Page => native::page::answer(app, call).await,
        BesideRoute::TestEvent => native::test_event::answer(app, call).await,
        BesideRoute::Health => operator::health::answer(app, call).await,
        BesideRoute::HealthAction => operator::health::act(app, call).await,
        BesideRoute::Monitor => operator::monitor::answer(app, call).await,
    }
}
