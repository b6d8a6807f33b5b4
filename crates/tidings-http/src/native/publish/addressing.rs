//! Addressees in the query, for `CloudEvents`: their format has no place for topics.

use tidings_wire::problem::{Code, Problem};
use tidings_wire::publish::{Addressing, Format};
use tidings_wire::query;

use super::super::asked::not_known;
use crate::app::App;
use crate::call::Call;

/// Reads `topics=`, `users=` and `roles=`. In other forms the addressees stand in the event, and the
/// query takes nothing.
pub(super) fn read(app: &App, call: &Call, format: Format) -> Result<Addressing, Problem> {
    let is_cloud_event = !matches!(format, Format::Json | Format::Ndjson);
    let known: &[&str] = if is_cloud_event {
        &["topics", "users", "roles"]
    } else {
        &[]
    };
    let mut addressing = Addressing::default();
    for (name, value) in query::pairs(call.query()).map_err(|error| Problem::from(&error))? {
        let list = match &*name {
            "topics" if is_cloud_event => &mut addressing.topics,
            "users" if is_cloud_event => &mut addressing.users,
            "roles" if is_cloud_event => &mut addressing.roles,
            "topics" | "users" | "roles" => {
                return Err(
                    not_known(&name, known).with_hint(format!("put `{name}` into the event"))
                );
            }
            "userId" if app.development_user(call).is_some() => continue,
            _ => return Err(not_known(&name, known)),
        };
        // Somebody was meant, and without a name it would be everyone.
        if value.is_empty() {
            let detail = format!("the parameter `{name}` names nobody");
            return Err(Problem::new(Code::InvalidQuery, detail)
                .with_text("parameter", name.into_owned())
                .with_hint("leave it out to reach everyone"));
        }
        list.extend(query::split_list(&value).map(std::borrow::Cow::into_owned));
    }
    Ok(addressing)
}
