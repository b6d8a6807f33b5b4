//! Settings of what is granted to whom.

use tidings::settings::limits::{LIST_ENTRIES_MAX, RULE_ENTRIES_MAX, RULES_MAX};
use tidings::settings::{Layer, ProviderName, Settings};

use crate::settings::resolve;

const SECRET: (&str, &str) = ("TIDINGS_AUTH_SECRET", "0123456789abcdef0123456789abcdef");

/// What a file comes to beside a secret.
pub(crate) fn read(file: &str) -> Settings {
    let settings = resolve(file, &[SECRET], Layer::default(), false);
    settings.unwrap_or_else(|faults| panic!("{faults}"))
}

/// The one thing that is wrong with a file, as people see it.
pub(crate) fn refused(file: &str) -> String {
    let faults = resolve(file, &[SECRET], Layer::default(), false).expect_err(file);
    assert_eq!(faults.0.len(), 1, "{faults}");
    faults.to_string()
}

fn patterns(name: &str, count: usize) -> String {
    let entries: Vec<String> = (0..count).map(|index| format!("\"a/{index}\"")).collect();
    format!("{name} = [{}]\n", entries.join(", "))
}

#[test]
fn all_of_a_rule_is_read() {
    let settings = read(
        "[[rule]]\nroles = [\"EDITOR\", \"ADMIN\"]\nsubjects = \"u1\"\n\
         subscribe = [\"workspace/{workspace}/**\", \"a\"]\npublish = \"@user/*\"\n\
         administer = true\n\n[[rule]]\nroles = [\"*\"]\nsubscribe = \"a\"\n",
    );
    let [first, second] = settings.auth.rules.as_slice() else {
        panic!("two rules");
    };
    assert_eq!(first.who.roles.as_ref().map(Vec::len), Some(2));
    assert_eq!(first.who.subjects.as_ref().map(Vec::len), Some(1));
    assert_eq!(first.who.issuers, None);
    assert_eq!((first.subscribe.len(), first.publish.len()), (2, 1));
    assert!(first.administer);
    // Everybody who is somebody is not the role of this name.
    assert_eq!(second.who.roles, None);
    assert!(!second.administer);
}

#[test]
fn what_is_wrong_with_a_rule_is_said_with_its_line_and_a_hint() {
    for (lines, line, words) in [
        ("roles = [\"A\"]", 2, "the rule grants nothing"),
        ("subscribe = []", 2, "the rule grants nothing"),
        ("subscribe = [\"a*\"]", 2, "it is not a pattern"),
        ("subscribe = [\"{sub\"]", 2, "its braces do not match"),
        ("subscribe = [\"@all\"]", 2, "rule.subscribe"),
        ("publish = [\"{}\"]", 2, "does not name a claim"),
        ("subscribe = 7", 2, "it is not a text: 7"),
        (
            "subscribe = \"a\"\nadministrate = true",
            3,
            "did you mean `administer`?",
        ),
        ("subscribe = \"a\"\nroles = [\"a%2Fb\"]", 3, "rule.roles"),
        (
            "subscribe = \"a\"\nissuers = [\"okta\"]",
            2,
            "names an issuer that is not there: `okta`",
        ),
    ] {
        let shown = refused(&format!("[[rule]]\n{lines}\n"));
        assert!(shown.contains(words), "{lines}: {shown}");
        assert!(shown.contains(&format!("tidings.toml:{line}")), "{shown}");
    }
    assert!(refused("[rule]\nsubscribe = \"a\"").contains("[[rule]]"));
    let unknown = "[[auth.issuer]]\nname = \"own\"\nissuer = \"https://id.example\"\n\
                   audiences = \"a\"\n[[rule]]\nissuers = [\"owm\"]\nsubscribe = \"a\"\n";
    assert!(refused(unknown).contains("hint: there are own"));
    read(&unknown.replace("owm", "own"));
}

#[test]
fn there_are_as_many_rules_and_patterns_as_allowed() {
    let rule = "[[rule]]\nsubscribe = \"a\"\n";
    assert_eq!(read(&rule.repeat(RULES_MAX)).auth.rules.len(), RULES_MAX);
    let shown = refused(&rule.repeat(RULES_MAX + 1));
    assert!(
        shown.contains("`rule` has more than 256 tables: 257"),
        "{shown}"
    );

    let half = patterns("publish", RULE_ENTRIES_MAX / 2);
    let rule = |count: usize| format!("[[rule]]\n{half}{}", patterns("subscribe", count));
    read(&rule(RULE_ENTRIES_MAX / 2));
    let shown = refused(&rule(RULE_ENTRIES_MAX / 2 + 1));
    assert!(
        shown.contains("the rule has more than 64 patterns"),
        "{shown}"
    );
}

#[test]
fn what_is_granted_to_nobody_in_particular_is_read() {
    let settings = read("[auth.anonymous]\nsubscribe = [\"news/**\"]\neveryone = true\n");
    let grants = settings.auth.anonymous.expect("there");
    assert_eq!(grants.subscribe.len(), 1);
    assert!(grants.hear_everyone && !grants.administer && grants.publish.is_empty());
    assert!(read("").auth.anonymous.is_none());
    assert!(refused("[auth.anonymous]\n").contains("nothing is granted"));
    let shown = refused("[auth.anonymous]\nsubscribe = \"a\"\nadminister = true\n");
    assert!(
        shown.contains("unknown setting `auth.anonymous.administer`"),
        "{shown}"
    );
}

#[test]
fn lists_of_keys_end_where_they_must() {
    let hosts = |count: usize| format!("http.hosts = [{}]", vec!["\"a.example\""; count].join(","));
    assert_eq!(
        read(&hosts(LIST_ENTRIES_MAX)).web.hosts.len(),
        LIST_ENTRIES_MAX
    );
    assert!(refused(&hosts(LIST_ENTRIES_MAX + 1)).contains("`http.hosts`"));
}

#[test]
fn an_order_of_credentials_is_read_from_the_file_and_from_a_variable() {
    let wanted = [ProviderName::Jwt, ProviderName::Ticket];
    assert_eq!(
        read("auth.order = [\"jwt\", \"ticket\"]").auth.order,
        wanted
    );
    let variables = [SECRET, ("TIDINGS_AUTH_ORDER", "jwt,ticket")];
    let settings = resolve("", &variables, Layer::default(), false).expect("fine");
    assert_eq!(settings.auth.order, wanted);
    assert!(refused("auth.order = [\"jwt\", \"jwt\"]").contains("each at most once"));
}
