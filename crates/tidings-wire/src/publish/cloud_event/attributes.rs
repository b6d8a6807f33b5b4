//! Attributes of one CloudEvent, from wherever they come, to an event.

use std::borrow::Cow;

use tidings_core::event::Content;
use tidings_core::priority::Priority;
use tidings_core::time::parse_rfc3339;

use super::super::audience::{Addressees, Addressing, of_request};
use super::super::error::{Place, PublishError, PublishFault};
use super::super::event::{check_size, parse_id, parse_priority, parse_source, parse_type};
use super::super::media_type::essence;
use super::Data;
use crate::json::push_string;
use crate::limits::OBJECT_FIELDS_MAX;
use crate::query::split_list;
use crate::shown::nearest;

/// Extension attributes of the hub's own; others that begin so are refused as mistyped.
const OWN_PREFIX: &str = "tidings";
const OWN: [&str; 4] = [
    "tidingstopics",
    "tidingsusers",
    "tidingsroles",
    "tidingspriority",
];

/// The value of an attribute.
pub(super) enum Value<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// A number or a truth value as JSON.
    Literal(&'a str),
}

/// The attributes of one event so far.
pub(super) struct Attributes<'a> {
    place: Place,
    entries: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            entries: Vec::new(),
        }
    }

    /// Adds an attribute. Whoever calls has made sure that it stands once.
    pub(super) fn add(&mut self, name: Cow<'a, str>, value: Value<'a>) -> Result<(), PublishError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if name.is_empty() || !name.bytes().all(allowed) {
            return Err(self.place.field(&name, PublishFault::AttributeName));
        }
        if self.entries.len() >= OBJECT_FIELDS_MAX {
            let fault = PublishFault::TooManyFields(self.entries.len() + 1);
            return Err(self.place.error(fault));
        }
        self.entries.push((name, value));
        Ok(())
    }

    /// The media type of the data.
    pub(super) fn content_type(&self) -> Option<&str> {
        self.entries.iter().find_map(|(name, value)| match value {
            Value::Text(text) if name == "datacontenttype" => Some(&**text),
            _ => None,
        })
    }

    /// The event that these attributes and this data describe.
    pub(super) fn into_content(
        mut self,
        data: Data,
        request: &Addressing,
    ) -> Result<Content, PublishError> {
        let place = self.place;
        let version = self.required("specversion")?;
        if version != "1.0" {
            let fault = PublishFault::SpecVersion(version.into_owned());
            return Err(place.field("specversion", fault));
        }
        let at = |name: &'static str| move |fault| place.field(name, fault);
        let id = parse_id(&self.required("id")?).map_err(at("id"))?;
        let event_type = parse_type(&self.required("type")?).map_err(at("type"))?;
        let source = parse_source(&self.required("source")?).map_err(at("source"))?;
        let priority = match self.text("tidingspriority")? {
            Some(word) => parse_priority(&word).map_err(at("tidingspriority"))?,
            None => Priority::default(),
        };
        let addressees = self.addressees()?;
        let audience = if addressees.is_named() {
            addressees.audience(place, "tidingstopics")?
        } else {
            of_request(request)?.audience(place, "tidingstopics")?
        };
        let content = Content {
            id: Some(id),
            event_type,
            priority,
            source,
            audience,
            metadata: self.into_metadata(data.is_base64)?.into(),
            data: data.text,
        };
        check_size(place, content)
    }

    fn addressees(&mut self) -> Result<Addressees, PublishError> {
        let place = self.place;
        let mut addressees = Addressees::default();
        let lists = [
            ("tidingstopics", "topics"),
            ("tidingsusers", "users"),
            ("tidingsroles", "roles"),
        ];
        for (attribute, list) in lists {
            let Some(text) = self.text(attribute)? else {
                continue;
            };
            addressees.list_given();
            for item in split_list(&text) {
                addressees
                    .add(list, item.trim())
                    .map_err(|fault| place.field(attribute, fault))?;
            }
        }
        Ok(addressees)
    }

    /// What is left, as the entries of the event's metadata.
    fn into_metadata(mut self, is_base64: bool) -> Result<Vec<u8>, PublishError> {
        let place = self.place;
        let time = self.text("time")?;
        if let Some(time) = &time
            && parse_rfc3339(time).is_none()
        {
            let fault = PublishFault::Time(time.clone().into_owned());
            return Err(place.field("time", fault));
        }
        let content_type = self.text("datacontenttype")?;
        let content_type = content_type.filter(|text| essence(text) != "application/json");
        let mut entries: Vec<(Cow<'_, str>, Value<'_>)> = Vec::new();
        let encoding = is_base64.then_some(Cow::Borrowed("base64"));
        let known = [
            ("time", time),
            ("subject", self.text("subject")?),
            ("dataschema", self.text("dataschema")?),
            ("datacontenttype", content_type),
            ("dataEncoding", encoding),
        ];
        for (name, text) in known {
            entries.extend(text.map(|text| (Cow::Borrowed(name), Value::Text(text))));
        }
        for (name, _) in &self.entries {
            if name == "topics" {
                return Err(place.field(name, PublishFault::ReservedMetadata));
            }
            if name.starts_with(OWN_PREFIX) {
                let hint = nearest(name, &OWN).map(|own| format!("use `{own}`"));
                return Err(place.field(name, PublishFault::Unknown { hint }));
            }
        }
        entries.append(&mut self.entries);
        Ok(object(&entries))
    }

    fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let at = self.entries.iter().position(|(found, _)| found == name)?;
        Some(self.entries.remove(at).1)
    }

    /// An attribute that must be a text, if it is there.
    fn text(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, PublishError> {
        match self.take(name) {
            Some(Value::Text(text)) => Ok(Some(text)),
            None => Ok(None),
            Some(Value::Literal(literal)) => {
                let expected = "a string";
                let found = crate::json::kind_of(literal.as_bytes());
                Err(self
                    .place
                    .field(name, PublishFault::Kind { expected, found }))
            }
        }
    }

    fn required(&mut self, name: &str) -> Result<Cow<'a, str>, PublishError> {
        self.text(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.place.field(name, PublishFault::Missing))
    }
}

/// A JSON object, or nothing at all for no entries.
fn object(entries: &[(Cow<'_, str>, Value<'_>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in entries {
        out.push(if out.is_empty() { b'{' } else { b',' });
        push_string(&mut out, name);
        out.push(b':');
        match value {
            Value::Text(text) => push_string(&mut out, text),
            Value::Literal(literal) => out.extend_from_slice(literal.as_bytes()),
        }
    }
    if !out.is_empty() {
        out.push(b'}');
    }
    out
}
