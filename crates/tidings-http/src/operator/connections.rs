//! `GET /v1/connections` and `GET /v1/connections/{id}`: the connections of this node, for
//! administrators.

use http::Response;
use tidings_core::audience::Subject;
use tidings_core::shard::ConnectionId;
use tidings_core::topic::Topic;
use tidings_hub::{CONNECTIONS_LISTED_MAX, ConnectionState, Described, Listed, NotSurveyed, Which};
use tidings_wire::operator::{self, ListedConnection};
use tidings_wire::problem::{Code, Problem};
use tidings_wire::query::{self, QueryError, QueryFault};

use crate::access::{administrator, answer, connection, no_such_connection};
use crate::app::App;
use crate::call::Call;
use crate::limits::CONNECTIONS_LISTED_DEFAULT;
use crate::native::asked;
use crate::profile::Profiles;
use crate::reply::{Body, Refusal};

/// After which connection a page begins.
const AFTER: &str = "after";

/// Which connections are asked for, and which page of them.
#[derive(Debug)]
struct Asked {
    which: Which,
    after: Option<ConnectionId>,
    limit: usize,
}

/// Lists connections, page after page.
pub(crate) async fn list(app: &App, mut call: Call) -> Result<Response<Body>, Refusal> {
    administrator(app, &mut call).await?;
    let asked = read(app, &call)?;
    let listed = app.hub().connections(asked.which, asked.after, asked.limit);
    let Listed {
        connections,
        next,
        census,
    } = listed.await.map_err(busy)?;
    let profiles = &app.settings().profiles;
    let shown = connections.iter().map(|one| shown(one, profiles));
    let mut out = Vec::new();
    operator::push_connections(shown, next, &census, &mut out);
    Ok(answer(out))
}

/// Shows one connection.
pub(crate) async fn inspect(
    app: &App,
    mut call: Call,
    raw_id: &str,
) -> Result<Response<Body>, Refusal> {
    administrator(app, &mut call).await?;
    asked::read_nothing(app, &call)?;
    let found = app.hub().connection(connection(raw_id)?).await;
    let found = found.map_err(busy)?.ok_or_else(no_such_connection)?;
    let mut out = Vec::new();
    operator::push_connection(&shown(&found, &app.settings().profiles), &mut out);
    Ok(answer(out))
}

/// A shard that has too much to do is asked again later.
pub(super) fn busy(NotSurveyed::Busy { retry_after_ms }: NotSurveyed) -> Problem {
    Problem::new(Code::AtCapacity, "the hub is busy").with_retry_after_ms(retry_after_ms)
}

fn shown<'a>(described: &'a Described, profiles: &'a Profiles) -> ListedConnection<'a> {
    ListedConnection {
        facts: &described.facts,
        profile: profiles.name_of(described.facts.profile),
        address: described.address,
    }
}

fn read(app: &App, call: &Call) -> Result<Asked, Problem> {
    let [state, subject, topic, profile, limit, after] = asked::read_each(
        app,
        call,
        ["state", "subject", "topic", "profile", "limit", AFTER],
    )?;
    let limit = limit.map(|value| query::count("limit", &value, 1, CONNECTIONS_LISTED_MAX as u64));
    let limit = limit.transpose().map_err(|error| Problem::from(&error))?;
    let profiles = &app.settings().profiles;
    let which = Which {
        state: understood(
            "state",
            state,
            ConnectionState::parse,
            "`connecting`, `connected`, `idle`, `stale` or `disconnecting`",
        )?,
        subject: understood(
            "subject",
            subject,
            |text| Subject::parse(text).ok(),
            "a subject",
        )?,
        topic: understood(
            "topic",
            topic,
            |text| Topic::parse(text).ok(),
            "a topic without wildcards",
        )?,
        profile: understood(
            "profile",
            profile,
            |name| profiles.index_of(name),
            "the name of a profile, as `GET /v1/profiles` lists them",
        )?,
    };
    Ok(Asked {
        which,
        after: understood(
            AFTER,
            after,
            |text| ConnectionId::parse(text).ok(),
            "the `next` of an answer",
        )?,
        limit: limit.map_or(CONNECTIONS_LISTED_DEFAULT, |limit| limit as usize),
    })
}

/// A parameter that is there, understood or refused with what it must be.
fn understood<T>(
    parameter: &str,
    value: Option<String>,
    parse: impl FnOnce(&str) -> Option<T>,
    expected: &'static str,
) -> Result<Option<T>, Problem> {
    let Some(found) = value else { return Ok(None) };
    match parse(&found) {
        Some(understood) => Ok(Some(understood)),
        None => Err(Problem::from(&QueryError {
            parameter: parameter.to_owned(),
            fault: QueryFault::Value { expected, found },
        })),
    }
}
