//! Which coding a reader gets: weights, refusals, malformed headers, and browsers.

use proptest::prelude::*;
use tidings_core::coding::Coding::{self, Gzip, Identity, Zstd};
use tidings_wire::coding::{content_encoding, negotiate};
use tidings_wire::limits::ACCEPT_ENCODING_BYTES_MAX;

const CHROMIUM: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15";
const CHROME_OF_IOS: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0.0.0 Mobile/15E148 Safari/604.1";

/// What a program gets that sends this header.
fn coding_for(accept_encoding: &str) -> Coding {
    negotiate(Some(accept_encoding), None)
}

#[test]
fn a_reader_that_does_not_ask_gets_text_as_it_is() {
    assert_eq!(negotiate(None, Some(CHROMIUM)), Identity);
    for header in ["", " ", ",", "br", "deflate, br;q=1.0", "identity"] {
        assert_eq!(coding_for(header), Identity, "{header:?}");
    }
}

#[test]
fn among_equals_zstd_is_preferred_to_gzip_and_gzip_to_none() {
    for header in [
        "gzip, deflate, br, zstd",
        "zstd,gzip",
        "identity, zstd, gzip",
        "gzip;q=0.5, zstd;q=0.5",
    ] {
        assert_eq!(coding_for(header), Zstd, "{header:?}");
    }
    for header in [
        "gzip",
        "gzip, deflate, br",
        "identity, gzip",
        "gzip;q=0.001",
        "x-gzip",
    ] {
        assert_eq!(coding_for(header), Gzip, "{header:?}");
    }
}

#[test]
fn weights_decide_before_preference() {
    assert_eq!(coding_for("zstd;q=0.5, gzip;q=0.501"), Gzip);
    assert_eq!(coding_for("zstd;q=0.9, gzip"), Gzip);
    assert_eq!(coding_for("gzip;q=0.5, identity;q=0.6"), Identity);
    assert_eq!(coding_for("gzip;q=0.5, identity"), Identity);
    assert_eq!(coding_for("zstd;q=0.2, gzip;q=0.1, identity;q=0.15"), Zstd);
}

#[test]
fn a_weight_of_zero_refuses() {
    for header in [
        "gzip;q=0",
        "gzip;q=0.000, zstd;q=0.0",
        "gzip;q=0, *",
        "*;q=0",
    ] {
        assert_eq!(coding_for(header), Identity, "{header:?}");
    }
    assert_eq!(coding_for("zstd;q=0, gzip;q=0.1"), Gzip);
    assert_eq!(coding_for("identity;q=0, gzip;q=0.1"), Gzip);
    // Nothing is left that could be sent; text as it is can still be read.
    assert_eq!(coding_for("identity;q=0, br"), Identity);
}

#[test]
fn a_star_stands_for_gzip_where_gzip_is_not_named() {
    for header in ["*", "br, *;q=0.1", "gzip, *;q=0", "zstd;q=0, *"] {
        assert_eq!(coding_for(header), Gzip, "{header:?}");
    }
    assert_eq!(coding_for("zstd;q=0.5, *;q=0.5"), Zstd);
    assert_eq!(coding_for("zstd;q=0.5, *"), Gzip);
}

#[test]
fn case_and_spaces_do_not_matter() {
    for header in ["GZip", "\tgzip ;\t Q=1.000 ,", " , br ,, gzip;q=0.3 "] {
        assert_eq!(coding_for(header), Gzip, "{header:?}");
    }
}

#[test]
fn malformed_members_are_as_if_they_were_not_there() {
    for member in [
        "gzip;q=",
        "gzip;q=2",
        "gzip;q=1.001",
        "gzip;q=0.1234",
        "gzip;q=-1",
        "gzip;q=.5",
        "gzip;q=0,5",
        "gzip;q=1e0",
        "gzip;q =1",
        "gzip;level=9",
        "gzip;q=1;q=1",
        "gzip;",
        "gzip zstd",
        "\"gzip\"",
        "gzip\u{301}",
    ] {
        assert_eq!(coding_for(member), Identity, "{member:?}");
        assert_eq!(
            coding_for(&format!("{member}, zstd;q=0.1")),
            Zstd,
            "{member:?}"
        );
    }
}

#[test]
fn of_members_that_repeat_a_coding_the_first_counts() {
    assert_eq!(coding_for("gzip;q=0, gzip"), Identity);
    assert_eq!(coding_for("gzip, gzip;q=0"), Gzip);
}

#[test]
fn what_a_long_header_says_beyond_the_limit_is_not_read() {
    let until = |bytes: usize| format!("{},gzip", "b".repeat(bytes - ",gzip".len()));
    assert_eq!(coding_for(&until(ACCEPT_ENCODING_BYTES_MAX)), Gzip);
    assert_eq!(coding_for(&until(ACCEPT_ENCODING_BYTES_MAX + 1)), Identity);
    // The member that is cut in two is not read as a shorter one.
    let cut = until(ACCEPT_ENCODING_BYTES_MAX) + ";q=0";
    assert_eq!(coding_for(&cut), Identity);
    let early = format!("gzip{}", ", br".repeat(100_000));
    assert_eq!(coding_for(&early), Gzip);
    assert_eq!(coding_for(&"gzip".repeat(100_000)), Identity);
}

#[test]
fn webkit_outside_of_chromium_gets_gzip_before_zstd() {
    let announced = Some("gzip, deflate, br, zstd");
    for browser in [CHROMIUM, FIREFOX] {
        assert_eq!(negotiate(announced, Some(browser)), Zstd, "{browser}");
    }
    for browser in [SAFARI, CHROME_OF_IOS] {
        assert_eq!(negotiate(announced, Some(browser)), Gzip, "{browser}");
        assert_eq!(negotiate(Some("zstd"), Some(browser)), Zstd, "{browser}");
        assert_eq!(
            negotiate(Some("zstd, gzip;q=0.5"), Some(browser)),
            Zstd,
            "{browser}"
        );
    }
}

#[test]
fn text_as_it_is_has_no_content_encoding() {
    assert_eq!(content_encoding(Identity), None);
    assert_eq!(content_encoding(Gzip), Some("gzip"));
    assert_eq!(content_encoding(Zstd), Some("zstd"));
}

proptest! {
    #[test]
    fn no_header_is_an_error(header in "(gzip|zstd|\\*|identity|;|,|q=|0|1|\\.|\\PC){0,40}") {
        coding_for(&header);
    }

    #[test]
    fn what_is_not_named_is_never_chosen(header in "(br|deflate|;q=1|;q=0.5|, ){0,20}") {
        prop_assert_eq!(coding_for(&header), Identity);
    }
}
