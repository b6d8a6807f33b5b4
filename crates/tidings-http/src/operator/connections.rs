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

const STATE: &str = "state";
const SUBJECT: &str = "subject";
const TOPIC: &str = "topic";
const PROFILE: &str = "profile";
const LIMIT: &str = "limit";
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
    let mut asked = Asked {
        which: Which::default(),
        after: None,
        limit: CONNECTIONS_LISTED_DEFAULT,
    };
    let known = [STATE, SUBJECT, TOPIC, PROFILE, LIMIT, AFTER];
    for (name, value) in asked::read_each(app, call, &known)? {
        let refused = |expected| {
            Problem::from(&QueryError {
                parameter: name.to_owned(),
                fault: QueryFault::Value {
                    expected,
                    found: value.clone(),
                },
            })
        };
        match name {
            STATE => {
                let state = ConnectionState::parse(&value);
                let expected = "`connecting`, `connected`, `idle`, `stale` or `disconnecting`";
                asked.which.state = Some(state.ok_or_else(|| refused(expected))?);
            }
            SUBJECT => {
                let subject = Subject::parse(&value);
                asked.which.subject = Some(subject.map_err(|_| refused("a subject"))?);
            }
            TOPIC => {
                let topic = Topic::parse(&value);
                asked.which.topic = Some(topic.map_err(|_| refused("a topic without wildcards"))?);
            }
            PROFILE => {
                let profile = app.settings().profiles.index_of(&value);
                let expected = "the name of a profile, as `GET /v1/profiles` lists them";
                asked.which.profile = Some(profile.ok_or_else(|| refused(expected))?);
            }
            LIMIT => {
                let limit = query::count(LIMIT, &value, 1, CONNECTIONS_LISTED_MAX as u64);
                asked.limit = limit.map_err(|error| Problem::from(&error))? as usize;
            }
            _ => {
                let after = ConnectionId::parse(&value);
                asked.after = Some(after.map_err(|_| refused("the `next` of an answer"))?);
            }
        }
    }
    Ok(asked)
}
