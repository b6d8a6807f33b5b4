//! What rules grant, and to whom.

use serde_json::{Value, json};
use tidings_core::grant::Grants;

use super::*;
use crate::limits::{CLAIM_VALUES_MAX, PLACEHOLDERS_MAX};

fn rule(subscribe: &[&str], publish: &[&str]) -> Rule {
    let reading = |text: &&str| Template::for_reading(text).expect(text);
    let publishing = |text: &&str| Template::for_publishing(text).expect(text);
    Rule {
        subscribe: subscribe.iter().map(reading).collect(),
        publish: publish.iter().map(publishing).collect(),
        ..Rule::default()
    }
}

fn somebody(claims: Value) -> Proven {
    let Value::Object(claims) = claims else {
        panic!("claims are an object");
    };
    Proven {
        subject: Subject::parse("u1").ok(),
        roles: vec![Role::parse("EDITOR").expect("a role")],
        claims: Arc::new(claims),
        issuer: Some("clerk".into()),
        ..Proven::default()
    }
}

fn read(rules: Vec<Rule>, proven: &Proven) -> Vec<String> {
    let grants = Rules::new(rules).grants(proven);
    grants.subscribe.iter().map(ToString::to_string).collect()
}

/// Why the only template of a rule grants nothing.
fn left_out(template: &str, claims: Value) -> String {
    let rules = Rules::new(vec![rule(&[template], &[])]);
    let proven = somebody(claims);
    assert!(rules.grants(&proven).subscribe.is_empty(), "{template}");
    let said = rules.explain(&proven).remove(0);
    said.left_out.into_iter().next().expect("left out").1
}

#[test]
fn placeholders_take_the_subject_and_claims() {
    let claims = json!({"workspace": "w1", "org": {"id": 42}, "https://a.b/team": "red"});
    let templates = [
        "user/{sub}/**",
        "workspace/{workspace}/*",
        r"org-{org.id}/{https://a\.b/team}",
    ];
    assert_eq!(
        read(vec![rule(&templates, &[])], &somebody(claims)),
        ["user/u1/**", "workspace/w1/*", "org-42/red"]
    );
}

#[test]
fn a_list_grants_once_for_each_of_its_values() {
    let proven = somebody(json!({"teams": ["red", "blue"], "rooms": [1, 2]}));
    let granted = read(vec![rule(&["{teams}/{rooms}"], &[])], &proven);
    assert_eq!(granted, ["red/1", "red/2", "blue/1", "blue/2"]);
}

#[test]
fn a14_what_a_claim_says_never_becomes_a_part_of_a_pattern() {
    for value in ["a/b", "*", "**", "{sub}", "", "/", "a*"] {
        let why = left_out("team/{team}", json!({ "team": value }));
        assert!(!why.contains("a/b") && why.contains("`team`"), "{why}");
    }
    // Not canonical, so no topic.
    for value in ["@all", "a\nb", "a%2Fb", "e\u{301}", "\u{202e}x"] {
        let template = left_out("team/{team}", json!({ "team": value }));
        assert!(template.contains("no topic"), "{value:?}: {template}");
    }
    for value in [
        json!(null),
        json!([]),
        json!(true),
        json!(1.5),
        json!({"a": "b"}),
        json!([[]]),
    ] {
        left_out("team/{team}", json!({ "team": value }));
    }
    left_out("team/{team}", json!({}));
    left_out("team/{team.id}", json!({"team": "red"}));
}

#[test]
fn one_bad_value_of_a_list_leaves_out_its_pattern_and_no_other() {
    let proven = somebody(json!({"teams": ["red", "**"]}));
    let granted = read(vec![rule(&["{teams}/x", "public/**"], &[])], &proven);
    assert_eq!(granted, ["public/**"]);
}

#[test]
fn publishing_is_granted_to_audiences_by_name_alone() {
    let grants = |sub: &str| {
        let mut proven = somebody(json!({"boss": "u2"}));
        proven.subject = Subject::parse(sub).ok();
        let rules = Rules::new(vec![rule(&[], &["project/{sub}", "@user/{boss}", "@all"])]);
        let publish = rules.grants(&proven).publish;
        publish.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(grants("u1"), ["project/u1", "@user/u2", "@all"]);
    assert_eq!(grants("a/b"), ["@user/u2", "@all"]);
    assert_eq!(grants("@all"), ["@user/u2", "@all"]);
}

#[test]
fn a14_a_claim_never_makes_an_audience_of_a_topic() {
    for (template, team) in [
        ("{team}", "@all"),
        ("{team}/x", "@user"),
        ("{team}/{team}", "@role"),
    ] {
        let proven = somebody(json!({ "team": team }));
        let rules = Rules::new(vec![rule(&[], &[template])]);
        assert_eq!(rules.grants(&proven).publish, [], "{template}");
        let said = &rules.explain(&proven)[0].left_out[0].1;
        assert!(said.contains("audiences"), "{said}");
    }
    let boss = somebody(json!({"boss": "@ada"}));
    let rules = Rules::new(vec![rule(&[], &["@user/{boss}"])]);
    assert_eq!(
        rules.grants(&boss).publish.len(),
        1,
        "a name may begin like that"
    );
}

#[test]
fn a_rule_is_for_those_whom_it_names() {
    let with = |who: Who| {
        vec![Rule {
            who,
            ..rule(&["a"], &[])
        }]
    };
    let roles = |roles: &[&str]| Who {
        roles: Some(
            roles
                .iter()
                .map(|role| Role::parse(role).expect(role))
                .collect(),
        ),
        ..Who::default()
    };
    let proven = somebody(json!({}));
    assert_eq!(read(with(Who::default()), &proven), ["a"]);
    assert_eq!(read(with(roles(&["ADMIN", "EDITOR"])), &proven), ["a"]);
    assert!(read(with(roles(&["ADMIN"])), &proven).is_empty());
    assert!(read(with(roles(&[])), &proven).is_empty());
    let issuer = |issuer: &str| Who {
        issuers: Some(vec![issuer.into()]),
        ..Who::default()
    };
    assert_eq!(read(with(issuer("clerk")), &proven), ["a"]);
    assert!(read(with(issuer("auth0")), &proven).is_empty());
    let subject = |subject: &str| Who {
        subjects: Subject::parse(subject).ok().map(|subject| vec![subject]),
        ..Who::default()
    };
    assert_eq!(read(with(subject("u1")), &proven), ["a"]);
    assert!(read(with(subject("u2")), &proven).is_empty());
    let nobody = Proven {
        subject: None,
        ..proven.clone()
    };
    assert!(read(with(Who::default()), &nobody).is_empty());
    let ticket = Proven {
        is_final: true,
        ..proven
    };
    assert!(read(with(Who::default()), &ticket).is_empty());
}

#[test]
fn a_rule_adds_to_what_the_credential_grants() {
    let mut proven = somebody(json!({}));
    proven.grants = Grants {
        subscribe: vec![Pattern::parse("own/**").expect("a pattern")],
        ..Grants::default()
    };
    let admin = Rule {
        administer: true,
        ..rule(&["a"], &[])
    };
    assert_eq!(read(vec![admin.clone()], &proven), ["own/**", "a"]);
    assert!(Rules::new(vec![admin]).grants(&proven).administer);
    assert!(!Rules::default().grants(&proven).administer);
}

#[test]
fn what_is_granted_has_limits() {
    let many: Vec<u32> = (0..=CLAIM_VALUES_MAX as u32).collect();
    let why = left_out("a/{many}", json!({ "many": many }));
    assert!(why.contains("more than 64"), "{why}");
    let full: Vec<u32> = (0..CLAIM_VALUES_MAX as u32).collect();
    let five = ["a/{full}", "b/{full}", "c/{full}", "d/{full}", "e/{full}"];
    let granted = read(vec![rule(&five, &[])], &somebody(json!({ "full": full })));
    assert_eq!(granted.len(), PATTERNS_BY_RULES_MAX);
    let text = "{a}".repeat(PLACEHOLDERS_MAX);
    assert!(Template::for_reading(&text).is_ok());
    let text = "{a}".repeat(PLACEHOLDERS_MAX + 1);
    assert_eq!(
        Template::for_reading(&text),
        Err(TemplateError::TooManyPlaceholders)
    );
}

#[test]
fn a_template_says_what_is_wrong_with_it() {
    for text in [
        "a/{b",
        "a/b}",
        "{a{b}}",
        "{}",
        "{a..b}",
        "{a}*",
        "a//{b}",
        "**/{a}",
        "@user/{sub}",
    ] {
        assert!(Template::for_reading(text).is_err(), "{text}");
    }
    for text in ["@user/{sub}", "@all", "{a}/**", "@role/{role}"] {
        let template = Template::for_publishing(text).expect(text);
        assert_eq!(template.to_string(), text);
    }
    assert!(Template::for_publishing("@everybody").is_err());
}
