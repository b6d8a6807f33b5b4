//! Which application is asked, with what, and how patiently.

use std::time::Duration;

use super::answer::Shape;
use super::breaker::Patience;
use crate::address::Address;
use crate::fetch::FetchMethod;
use crate::field_name::is_field_name;
use crate::issuer::IssuerName;
use crate::limits::{
    ANSWER_KEPT_MS_DEFAULT, ANSWER_KEPT_MS_MAX, ANSWER_LIFE_MS_DEFAULT, ANSWER_LIFE_MS_MAX,
    ASK_FAILURES_DEFAULT, ASK_FAILURES_MAX, ASK_MS_DEFAULT, ASK_MS_MAX, ASK_PAUSE_MS_DEFAULT,
    ASK_PAUSE_MS_MAX, ASKING_DEFAULT, ASKING_MAX, FORWARDED_NAMES_MAX,
};

/// Headers that are not a caller's to say: they belong to the connection to the application, or tell
/// it who asks.
const NEVER_FORWARDED: [&str; 17] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
];

/// Which application is asked, with what, and how patiently.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The name of the application here.
    pub name: IssuerName,
    /// The whole address that is asked.
    pub address: Address,
    /// `GET`, or `POST` with an empty body.
    pub method: FetchMethod,
    /// The cookies that are forwarded, each also in its parts (`name.0`, `name.1`).
    pub cookies: Vec<String>,
    /// The headers that are forwarded, in lower case.
    pub headers: Vec<String>,
    /// How the answer is read.
    pub shape: Shape,
    /// Whether the subject becomes `<name>:<subject>`, because others could give out the same one.
    pub qualify: bool,
    /// The names of all others that vouch for people, which no unqualified subject may begin with.
    pub others: Vec<IssuerName>,
    /// How long that lives at most what an answer opens: then the application is asked again.
    pub life: Duration,
    /// How long an answer is kept, and a refusal at most.
    pub kept: Duration,
    /// Time for an answer.
    pub timeout: Duration,
    /// Questions at a time.
    pub asking: usize,
    /// When to stop asking.
    pub patience: Patience,
}

/// Why an application cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// Nothing to forward, or more than is sensible.
    #[error(
        "{0} names of cookies and headers are listed where 1 to {FORWARDED_NAMES_MAX} are needed"
    )]
    Names(usize),
    /// This is never forwarded, or no name at all.
    #[error("no cookie or header of this name is forwarded: `{0}`")]
    Forwarded(String),
    /// A time out of its bounds.
    #[error("`{name}` is not within 1 ms and {max_ms} ms: {given:?}")]
    Time {
        /// Of which setting.
        name: &'static str,
        /// Its upper bound.
        max_ms: u64,
        /// What was given.
        given: Duration,
    },
    /// A number out of its bounds.
    #[error("`{name}` is not within 1 and {max}: {given}")]
    Number {
        /// Of which setting.
        name: &'static str,
        /// Its upper bound.
        max: u64,
        /// What was given.
        given: u64,
    },
}

impl Policy {
    /// Asks an address by `GET`, with nothing yet to forward, and reads the answer as one that was
    /// made for it.
    pub fn new(name: IssuerName, address: Address) -> Self {
        Self {
            name,
            address,
            method: FetchMethod::Get,
            cookies: Vec::new(),
            headers: Vec::new(),
            shape: Shape::native(),
            qualify: false,
            others: Vec::new(),
            life: Duration::from_millis(ANSWER_LIFE_MS_DEFAULT),
            kept: Duration::from_millis(ANSWER_KEPT_MS_DEFAULT),
            timeout: Duration::from_millis(ASK_MS_DEFAULT),
            asking: ASKING_DEFAULT,
            patience: Patience {
                failures: ASK_FAILURES_DEFAULT,
                pause_ms: ASK_PAUSE_MS_DEFAULT,
            },
        }
    }

    /// Checks what can be known before the first question.
    pub fn check_setup(&self) -> Result<(), SetupError> {
        let names = self.cookies.len() + self.headers.len();
        if !(1..=FORWARDED_NAMES_MAX).contains(&names) {
            return Err(SetupError::Names(names));
        }
        let is_header = |name: &String| {
            let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
            is_lower && is_field_name(name) && !NEVER_FORWARDED.contains(&name.as_str())
        };
        let bad_cookie = self.cookies.iter().find(|name| !is_field_name(name));
        let bad_header = self.headers.iter().find(|name| !is_header(name));
        if let Some(name) = bad_cookie.or(bad_header) {
            return Err(SetupError::Forwarded(name.clone()));
        }
        within_ms("life", self.life, ANSWER_LIFE_MS_MAX)?;
        within_ms("kept", self.kept, ANSWER_KEPT_MS_MAX)?;
        within_ms("timeout", self.timeout, ASK_MS_MAX)?;
        let pause = Duration::from_millis(self.patience.pause_ms);
        within_ms("pause", pause, ASK_PAUSE_MS_MAX)?;
        within("asking", self.asking as u64, ASKING_MAX as u64)?;
        within(
            "failures",
            self.patience.failures.into(),
            ASK_FAILURES_MAX.into(),
        )
    }
}

fn within_ms(name: &'static str, given: Duration, max_ms: u64) -> Result<(), SetupError> {
    if (Duration::from_millis(1)..=Duration::from_millis(max_ms)).contains(&given) {
        Ok(())
    } else {
        Err(SetupError::Time {
            name,
            max_ms,
            given,
        })
    }
}

fn within(name: &'static str, given: u64, max: u64) -> Result<(), SetupError> {
    if (1..=max).contains(&given) {
        Ok(())
    } else {
        Err(SetupError::Number { name, max, given })
    }
}
