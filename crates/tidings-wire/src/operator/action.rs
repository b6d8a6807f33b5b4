//! What an operator has done: `POST /v1/health`.

use tidings_core::audience::Subject;
use tidings_core::shard::{ConnectionId, DisconnectReason, ReasonError};

use crate::access::{Body, BodyFault, value};
use crate::json::Object;
use crate::problem::Problem;
use crate::shown::nearest;

const CHECK: &str = "health_check";
const CLEANUP: &str = "cleanup";
const DISCONNECT: &str = "disconnect";
const ACTIONS: [&str; 3] = [CHECK, CLEANUP, DISCONNECT];

/// Whom it is done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// One connection.
    Connection(ConnectionId),
    /// All connections of a subject.
    Subject(Subject),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthAction {
    /// Give this stream, or all of them, a sign of life now.
    Check(Option<ConnectionId>),
    /// End connections that are stale.
    Cleanup,
    /// End connections, with what their readers are told.
    Disconnect(Whom, Option<DisconnectReason>),
}

impl HealthAction {
    /// The word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Check(_) => CHECK,
            Self::Cleanup => CLEANUP,
            Self::Disconnect(..) => DISCONNECT,
        }
    }
}

/// Why nothing is done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionFault {
    /// It is not what the route takes.
    #[error(transparent)]
    Body(#[from] BodyFault),
    /// No action has this name.
    #[error("there is no such action")]
    Unknown {
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// A field that another action takes.
    #[error("the action `{action}` does not take the field `{field}`")]
    NotTaken {
        /// The action.
        action: &'static str,
        /// The field.
        field: &'static str,
    },
    /// It is not said whom to disconnect, or more than once.
    #[error("the action `disconnect` takes one of the fields `connection` and `subject`")]
    Whom,
    /// What the reader is to be told cannot be.
    #[error("the field `reason` cannot be told: {0}")]
    Reason(ReasonError),
}

impl From<&ActionFault> for Problem {
    fn from(fault: &ActionFault) -> Self {
        let problem = Self::new(crate::problem::Code::InvalidBody, fault.to_string());
        match fault {
            ActionFault::Body(fault) => fault.into(),
            ActionFault::Unknown { nearest: Some(name) } => {
                problem.with_hint(format!("did you mean `{name}`?"))
            }
            ActionFault::Unknown { nearest: None } => {
                problem.with_hint("use `health_check`, `cleanup` or `disconnect`")
            }
            ActionFault::NotTaken { .. } => problem.with_hint(
                "`health_check` takes `connection`, `cleanup` nothing, `disconnect` `connection` or \
                 `subject`, and `reason`",
            ),
            ActionFault::Whom => problem.with_hint(
                "name one connection by its id, or all of a subject; `GET /v1/connections` lists them",
            ),
            ActionFault::Reason(_) => problem,
        }
    }
}

/// Reads the body of an action.
pub fn health_action(text: &[u8]) -> Result<HealthAction, ActionFault> {
    let mut body = Body::read(text, &["action", "connection", "subject", "reason"])?;
    let expected = "`health_check`, `cleanup` or `disconnect`";
    let action = body.text("action", expected)?;
    let action = action.ok_or(BodyFault::Missing("action"))?;
    let known = ACTIONS.into_iter().find(|known| *known == action);
    let Some(action) = known else {
        let near = nearest(&action, &ACTIONS);
        let nearest = ACTIONS.into_iter().find(|name| Some(*name) == near);
        return Err(ActionFault::Unknown { nearest });
    };
    let taken: &[&str] = match action {
        CHECK => &["connection"],
        CLEANUP => &[],
        _ => &["connection", "subject", "reason"],
    };
    let mut others = ["connection", "subject", "reason"].into_iter();
    if let Some(field) = others.find(|field| body.fields.has(field) && !taken.contains(field)) {
        return Err(ActionFault::NotTaken { action, field });
    }
    let expected = "the id of a connection, as `tidings.hello` and `GET /v1/connections` tell it";
    let connection = body
        .text("connection", expected)?
        .map(|text| ConnectionId::parse(&text).map_err(|_| value("connection", expected)));
    let connection = connection.transpose()?;
    match action {
        CHECK => return Ok(HealthAction::Check(connection)),
        CLEANUP => return Ok(HealthAction::Cleanup),
        _ => {}
    }
    let subject = body
        .text("subject", "a subject")?
        .map(|text| Subject::parse(&text).map_err(|_| value("subject", "a subject")));
    let whom = match (connection, subject.transpose()?) {
        (Some(connection), None) => Whom::Connection(connection),
        (None, Some(subject)) => Whom::Subject(subject),
        _ => return Err(ActionFault::Whom),
    };
    let reason = body
        .text("reason", "a string")?
        .filter(|reason| !reason.is_empty())
        .map(|reason| DisconnectReason::parse(&reason).map_err(ActionFault::Reason));
    Ok(HealthAction::Disconnect(whom, reason.transpose()?))
}

/// Appends `{"action", "connections"}`: to how many it was done; and `"busy"`, how many streams had no
/// room for a sign of life.
pub fn push_done(action: &HealthAction, connections: u64, busy: u64, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object
        .string("action", action.name())
        .number("connections", connections);
    if matches!(action, HealthAction::Check(_)) {
        object.number("busy", busy);
    }
    object.close();
}
