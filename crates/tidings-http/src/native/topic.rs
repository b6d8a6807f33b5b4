//! `GET /v1/topics/{topic}`: what a topic holds and how many read it, at once or as soon as somebody does.

use http::{Response, StatusCode};
use tidings_core::awaited::ReaderWait;
use tidings_core::identity::Identity;
use tidings_core::topic::Topic;
use tidings_wire::page::{self, TopicFacts};
use tidings_wire::problem::{Code, Problem};
use tidings_wire::query;

use super::asked;
use crate::app::App;
use crate::authenticate::{authenticate_looker, ended};
use crate::call::Call;
use crate::reply::{self, Body, Refusal};
use crate::{refusals, segment};

/// Answers with the topic's facts to whoever may read it, and to administrators.
pub(crate) async fn answer(
    app: &App,
    mut call: Call,
    raw_topic: &str,
) -> Result<Response<Body>, Refusal> {
    let identity = authenticate_looker(app, &mut call).await?;
    let wait = read_wait(app, &call)?;
    let topic = parse(raw_topic)?;
    if !may_read(&identity, &topic) {
        let detail = format!("no grant allows reading the topic `{topic}`");
        return Err(Problem::new(Code::NotGranted, detail)
            .with_hint("the credential needs a subscribe grant that covers the topic")
            .into());
    }
    if let Some(wait) = wait {
        let waited = app.hub().until_topic_is_read(&topic, wait).await;
        waited.map_err(refusals::too_many_waits)?;
        if let Some(failure) = ended(app, &identity) {
            return Err(Problem::from(&failure).into());
        }
    }
    let state = app.hub().topic(&topic).await.map_err(|error| {
        tracing::error!(request = %call.request_id, cause = %error, "log could not be read");
        Problem::from(&error)
    })?;
    let facts = TopicFacts {
        topic,
        head: state.head,
        earliest: state.earliest,
        subscribers: Some(state.subscribers),
    };
    let mut body = Vec::new();
    page::push_topic(&facts, &mut body);
    Ok(reply::whole(StatusCode::OK, page::CONTENT_TYPE, body))
}

/// How long the answer waits for readers, and for how many.
fn read_wait(app: &App, call: &Call) -> Result<Option<ReaderWait>, Problem> {
    let [wait, subscribers] = asked::read_each(app, call, ["wait", "subscribers"])?;
    match (wait, subscribers) {
        (Some(wait), subscribers) => query::reader_wait(&wait, subscribers.as_deref())
            .map(Some)
            .map_err(|error| Problem::from(&error)),
        (None, Some(_)) => {
            let detail =
                "the parameter `subscribers` says for how many to wait, and `wait` is missing";
            Err(Problem::new(Code::InvalidQuery, detail)
                .with_text("parameter", "subscribers")
                .with_hint("add `wait=3s`, or leave `subscribers` out"))
        }
        (None, None) => Ok(None),
    }
}

/// The topic is one segment of the path, decoded once: `a%2Fb` names `a/b`, and `a%252Fb` names
/// nothing.
fn parse(raw: &str) -> Result<Topic, Problem> {
    let text = segment::decode(raw)
        .map_err(|error| Problem::new(Code::InvalidTopic, error.to_string()))?;
    Topic::parse(&text).map_err(|error| {
        Problem::new(
            Code::InvalidTopic,
            format!("the topic is not valid: {error}"),
        )
    })
}

fn may_read(identity: &Identity, topic: &Topic) -> bool {
    let grants = &identity.grants;
    grants.administer
        || grants
            .subscribe
            .iter()
            .any(|pattern| pattern.matches(topic.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a14_an_encoded_slash_is_a_slash_and_a_doubly_encoded_one_is_refused() {
        assert_eq!(parse("a%2Fb").expect("topic").as_str(), "a/b");
        for bad in [
            "a%252Fb",
            "a%2F..",
            "a%2F%2Fb",
            "%00",
            "a%C0%AFb",
            "a%EF%BC%8Fb",
            "%40all",
            "a*",
            "%",
        ] {
            let problem = parse(bad).expect_err(bad);
            assert_eq!(problem.code(), Code::InvalidTopic, "{bad}");
        }
    }
}
