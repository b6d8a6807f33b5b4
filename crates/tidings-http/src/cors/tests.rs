//! Which origins are answered, and what each answer says.

use http::Request;

use super::*;

fn listed() -> Origins {
    Origins::Listed(vec![Origin::parse("https://example.com").expect("origin")])
}

fn verdict(origins: &Origins, headers: &[(&str, &str)]) -> Verdict {
    let mut request = Request::get("/v1/stream");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    judge(
        origins,
        true,
        &request.body(()).expect("request").into_parts().0,
        None,
    )
}

fn told(verdict: &Verdict) -> HeaderMap {
    let mut headers = HeaderMap::new();
    tell(verdict, &mut headers);
    headers
}

#[test]
fn a19_only_the_exact_listed_origin_is_answered() {
    let allowed = verdict(&listed(), &[("origin", "https://example.com")]);
    let headers = told(&allowed);
    assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://example.com");
    assert_eq!(headers[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
    assert_eq!(headers[VARY], "origin");

    for origin in [
        "https://evilexample.com",
        "https://example.com.evil.net",
        "https://sub.example.com",
        "http://example.com",
        "https://example.com:8443",
        "https://example.com/",
        "https://EXAMPLE.com",
        "null",
        "",
    ] {
        let refused = verdict(&listed(), &[("origin", origin)]);
        assert!(
            matches!(refused, Verdict::Refused(_)),
            "{origin}: {refused:?}"
        );
        let headers = told(&refused);
        assert!(
            !headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN),
            "{origin}"
        );
        assert!(
            !headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS),
            "{origin}"
        );
        assert_eq!(headers[VARY], "origin", "{origin}");
    }
}

#[test]
fn a19_two_origins_are_none() {
    let both = [
        ("origin", "https://example.com"),
        ("origin", "https://evil.example"),
    ];
    assert_eq!(
        verdict(&listed(), &both),
        Verdict::Refused(Cause::Malformed)
    );
}

#[test]
fn a19_the_star_never_comes_with_credentials_or_an_echo() {
    let all = verdict(&Origins::Any, &[("origin", "https://evil.example")]);
    let headers = told(&all);
    assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
}

#[test]
fn a19_development_lists_this_machine_on_any_port_and_nothing_else() {
    let development = Origins::ListedAndThisMachine(Vec::new());
    let local = verdict(&development, &[("origin", "http://localhost:5173")]);
    assert!(matches!(local, Verdict::Allowed(_)));
    let foreign = verdict(&development, &[("origin", "http://localhost.evil.example")]);
    assert_eq!(foreign, Verdict::Refused(Cause::NotListed));
}

#[test]
fn the_hubs_own_pages_are_answered() {
    let own = |origin, host| verdict(&Origins::default(), &[("origin", origin), ("host", host)]);
    assert!(matches!(
        own("http://hub.example:8080", "hub.example:8080"),
        Verdict::Allowed(_)
    ));
    assert!(matches!(
        own("https://hub.example", "Hub.example"),
        Verdict::Allowed(_)
    ));
    assert!(matches!(
        own("http://hub.example:8081", "hub.example:8080"),
        Verdict::Refused(_)
    ));
    assert!(matches!(own("null", "null"), Verdict::Refused(Cause::Null)));
}

#[test]
fn a_preflight_is_told_what_a_page_may_send() {
    let mut headers = HeaderMap::new();
    let allowed = verdict(&listed(), &[("origin", "https://example.com")]);
    tell_preflight(&allowed, HeaderValue::from_static("GET"), &mut headers);
    assert_eq!(headers[ACCESS_CONTROL_ALLOW_METHODS], "GET");
    for needed in [
        "authorization",
        "last-event-id",
        "cache-control",
        "content-type",
    ] {
        let allowed = headers[ACCESS_CONTROL_ALLOW_HEADERS]
            .to_str()
            .expect("text");
        assert!(allowed.contains(needed), "{needed}");
    }
    assert!(headers.contains_key(ACCESS_CONTROL_MAX_AGE));

    let mut headers = HeaderMap::new();
    let refused = verdict(&listed(), &[("origin", "null")]);
    tell_preflight(&refused, HeaderValue::from_static("GET"), &mut headers);
    assert_eq!(headers.keys().collect::<Vec<_>>(), [VARY]);
}
