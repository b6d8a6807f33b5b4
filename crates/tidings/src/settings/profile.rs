//! Profiles of the settings file: endpoints for clients that were made for another server.

use std::time::Duration;

use tidings_auth::rules::Template;
use tidings_core::event_type::EventType;
use tidings_http::{
    BeatSpec, Beside, CredentialKind, Frame, PathTemplate, Profile, ProfileError, ProfileSpec,
    Profiles, TopicTemplate, built_in,
};
use tidings_wire::sse::Form;

use super::fault::Faults;
use super::limits::PROFILE_TABLES_MAX;
use super::origin::Origin;
use super::table::{Section, Table, TableReader};

/// How often a stream shows that it is alive, unless the file says otherwise.
const EVERY_DEFAULT: Duration = Duration::from_secs(30);

/// What shows it.
const BEAT_DEFAULT: &str = "ping";

/// The tables of profiles.
pub(super) const SECTION: Section = Section {
    name: "profile",
    tables_max: PROFILE_TABLES_MAX,
    doc: "An endpoint of server-sent events for clients that were made for another server. `chat`, \
          `stories`, `dashboard`, `project` and `portal` are there already; a table of one of these \
          names takes its place.\n\n\
          - `name`: of `a-z0-9_-`\n\
          - `off`: `true` switches the built-in profile of this name off; nothing else is said of it\n\
          - `path`: where its streams are, one or several; `{name}` is one segment that clients fill \
          in\n\
          - `greeting`: the event that begins a stream; none without it\n\
          - `heartbeat`: what shows that a stream is alive, `ping` by default; `heartbeat_as` says \
          whether that is a `comment` (default), an `event`, or an `event_without_id`; \
          `heartbeat_every`: `30s` by default\n\
          - `frame`: `payload` (default) sends an event's data alone, `envelope` all of it\n\
          - `tokens`, `tickets`: parameters of the URL that hold a token or a ticket\n\
          - `cookies`: `true` to look at cookies, too\n\
          - `topics`: what is read unless other topics are asked for, such as \
          `workspace/{workspace_id}/**`. `{name}` is the segment of the path, which needs a grant, or \
          a claim of the credential, which grants it\n\
          - `disconnected`: `true` to say a farewell as `disconnected` and `error`, too\n\
          - `refusals`: the event as which clients that ask for a stream are told that they are \
          refused, such as `error`; by the status alone without it\n",
};

/// What the file says of one profile.
#[derive(Debug, Clone)]
pub enum ProfileSetting {
    /// The built-in one of this name is not there.
    Off(String),
    /// There is this one.
    On(Box<Profile>),
}

/// Reads what the file says of one profile.
pub(super) fn read(mut table: TableReader<'_, '_, '_>) -> Option<Table<ProfileSetting>> {
    let name = table.text("name", |text| Ok::<_, &str>(text.to_owned()));
    if !table.has("name") {
        table.missing("name", "add a line such as `name = \"orders\"`");
    }
    if table.flag("off") {
        if let Some(name) = name.as_deref().filter(|name| !is_built_in(name)) {
            let problem = format!("there is no built-in profile of the name `{name}`");
            table.fault("off", &problem, "leave the table out");
        }
        return table.finish(name.map(ProfileSetting::Off));
    }
    let paths = table.texts("path", |text| {
        PathTemplate::parse(text).map(|_| text.to_owned())
    });
    if !table.has("path") {
        table.missing("path", "add a line such as `path = \"/orders/stream\"`");
    }
    let greeting = table.text("greeting", word);
    let beat = table.text("heartbeat", word);
    let beat = beat.as_deref().unwrap_or(BEAT_DEFAULT);
    let heartbeat = table.text("heartbeat_as", |kind| match kind {
        "comment" => Ok(BeatSpec::Comment(beat)),
        "event" => Ok(BeatSpec::Event(beat)),
        "event_without_id" => Ok(BeatSpec::EventWithoutId(beat)),
        _ => Err("it is none of `comment`, `event` and `event_without_id`"),
    });
    let every: Option<Duration> = table.value("heartbeat_every");
    let (frame, form) = frame(&mut table);
    let tokens = parameters(&mut table, "tokens");
    let tickets = parameters(&mut table, "tickets");
    let topics = table.text("topics", |text| Ok::<_, &str>(text.to_owned()));
    let refusals = table.text("refusals", word);
    let (takes_cookies, says_disconnected) = (table.flag("cookies"), table.flag("disconnected"));
    let paths: Option<Vec<&str>> = paths.as_ref().map(|paths| to_strs(paths));
    let credentials: Vec<(&str, CredentialKind)> = tokens
        .iter()
        .map(|name| (name.as_str(), CredentialKind::Token))
        .chain(
            tickets
                .iter()
                .map(|name| (name.as_str(), CredentialKind::Ticket)),
        )
        .collect();
    let every = every.unwrap_or(EVERY_DEFAULT).as_millis();
    let profile = name.as_deref().zip(paths).map(|(name, paths)| {
        Profile::new(&ProfileSpec {
            name,
            paths: &paths,
            greeting: greeting.as_deref(),
            heartbeat: heartbeat.unwrap_or(BeatSpec::Comment(beat)),
            every_ms: u32::try_from(every).unwrap_or(u32::MAX),
            form,
            frame,
            credentials: &credentials,
            takes_cookies,
            takes_development_user: false,
            says_disconnected,
            topics: topics.as_deref(),
            refusal_event: refusals.as_deref(),
            beside: &Beside::NOTHING,
        })
    });
    let profile = match profile {
        Some(Err(error)) => {
            let (entry, hint) = place(&error);
            table.fault(entry, &error.to_string(), hint);
            None
        }
        Some(Ok(profile)) => {
            if let Some(TopicTemplate::Claims(text)) = profile.topics()
                && let Err(error) = Template::for_reading(text)
            {
                let problem = format!("`{text}` is no template: {error}");
                table.fault("topics", &problem, "write a claim as `{workspace_id}`");
            }
            Some(ProfileSetting::On(Box::new(profile)))
        }
        None => None,
    };
    table.finish(profile)
}

/// The built-in profiles as the file changes them, and those that it adds.
pub(super) fn of(settings: &[Table<ProfileSetting>], faults: &mut Faults) -> Profiles {
    let mut all = built_in();
    for table in settings {
        let name = match &table.value {
            ProfileSetting::Off(name) => name,
            ProfileSetting::On(profile) => profile.name(),
        };
        let is_repeated = |other: &&Table<ProfileSetting>| match &other.value {
            ProfileSetting::Off(other) => other == name,
            ProfileSetting::On(other) => other.name() == name,
        };
        if settings.iter().filter(is_repeated).count() > 1 {
            let message = format!("there are two `{}` of the name `{name}`", SECTION.name);
            let hint = "give each a name of its own";
            faults.add(SECTION.name, table.origin.clone(), message, hint);
            return Profiles::native();
        }
        all.retain(|one| one.name() != name);
        if let ProfileSetting::On(profile) = &table.value {
            all.push(Profile::clone(profile));
        }
    }
    Profiles::new(all).unwrap_or_else(|error| {
        // The built-in ones go together, so the file has said something.
        let origin = settings.last().map(|table| table.origin.clone());
        let hint = "give it another path, or switch the other one off";
        faults.add(
            SECTION.name,
            origin.unwrap_or(Origin::Default),
            error.to_string(),
            hint,
        );
        Profiles::native()
    })
}

fn is_built_in(name: &str) -> bool {
    let all = built_in();
    all.iter().any(|profile| profile.name() == name)
}

fn word(text: &str) -> Result<String, String> {
    let word = EventType::parse(text).map_err(|error| error.to_string())?;
    Ok(word.as_str().to_owned())
}

fn frame(table: &mut TableReader<'_, '_, '_>) -> (Frame, Form) {
    let frame = table.text("frame", |kind| match kind {
        "payload" => Ok((Frame::Payload, Form::Object)),
        "envelope" => Ok((Frame::Envelope, Form::Envelope)),
        _ => Err("it is neither `payload` nor `envelope`"),
    });
    frame.unwrap_or((Frame::Payload, Form::Object))
}

fn parameters(table: &mut TableReader<'_, '_, '_>, name: &'static str) -> Vec<String> {
    let names = table.texts(name, |text| Ok::<_, &str>(text.to_owned()));
    names.unwrap_or_default()
}

fn to_strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// In which entry a profile is wrong, and what to do.
fn place(error: &ProfileError) -> (&'static str, &'static str) {
    match error {
        ProfileError::Name(_) => ("name", "give it a short name such as `orders`"),
        ProfileError::Paths(_) | ProfileError::Path { .. } => {
            ("path", "give paths such as `/orders/{orderId}/stream`")
        }
        ProfileError::Word { .. } => ("greeting", "give a name such as `connected`"),
        ProfileError::Interval(_) => ("heartbeat_every", "give a time such as `30s`"),
        ProfileError::Credentials(_) | ProfileError::Credential(_) => {
            ("tokens", "give each parameter once, such as `access_token`")
        }
        ProfileError::Topics { .. } => (
            "topics",
            "give a pattern such as `workspace/{workspace_id}/**`",
        ),
    }
}
