//! An application that is slow, overrun or down: its users wait or are refused, and nothing piles up.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all, select};
use futures_util::{FutureExt, pin_mut};
use tidings_auth::application::{Application, Policy};
use tidings_auth::limits::{ASK_FAILURES_DEFAULT, ASK_PAUSE_MS_DEFAULT, ASK_WAITING_MAX};
use tidings_core::port::AuthFailure;

use crate::application::{Scene, asking, subject, yes};
use crate::web::{Does, PlainFetch};

const PAUSE: Duration = Duration::from_millis(ASK_PAUSE_MS_DEFAULT);
const FAILURES: usize = ASK_FAILURES_DEFAULT as usize;

fn waits() -> Does {
    Does::Waits(200, r#"{"subject": "u1"}"#.to_owned())
}

fn hasty(policy: &mut Policy) {
    policy.timeout = Duration::from_millis(20);
}

/// A scene whose application has failed until nothing is asked of it any longer.
async fn broken() -> Scene {
    let scene = Scene::new(Does::HangsUp, |_| {}).await;
    for n in 0..FAILURES {
        let asked = scene.sign_in(&format!("s{n}")).await;
        assert_eq!(asked, Err(AuthFailure::Unavailable));
    }
    assert_eq!(scene.app.asked(), FAILURES);
    scene
}

#[tokio::test]
async fn every_kind_of_outage_is_said_to_be_one_and_is_not_kept() {
    for does in [
        Does::HangsUp,
        Does::Answers(500, String::new()),
        Does::Answers(503, r#"{"subject": "u1"}"#.to_owned()),
        Does::Answers(429, String::new()),
        Does::Answers(408, String::new()),
    ] {
        let scene = Scene::new(does.clone(), |_| {}).await;
        for asked in 1..=2 {
            assert_eq!(
                scene.sign_in("s1").await,
                Err(AuthFailure::Unavailable),
                "{does:?}"
            );
            assert_eq!(scene.app.asked(), asked, "{does:?}");
        }
        scene.app.now_does(yes());
        assert_eq!(subject(scene.sign_in("s1").await), "u1", "{does:?}");
    }
}

#[tokio::test]
async fn an_application_that_does_not_answer_in_time_is_an_outage() {
    let scene = Scene::new(Does::IsSilent, hasty).await;
    assert_eq!(scene.sign_in("s1").await, Err(AuthFailure::Unavailable));
}

#[tokio::test]
async fn an_application_that_is_not_there_is_an_outage() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let nowhere = asking(&format!("http://{address}/"));
    let scene = Scene::new(yes(), |policy| policy.address = nowhere.address).await;
    assert_eq!(scene.sign_in("s1").await, Err(AuthFailure::Unavailable));
    assert_eq!(scene.app.asked(), 0);
}

#[tokio::test]
async fn after_failures_in_a_row_no_question_arrives_until_one_is_tried() {
    let scene = broken().await;
    scene.app.now_does(yes());
    for n in 0..20 {
        let asked = scene.sign_in(&format!("t{n}")).await;
        assert_eq!(asked, Err(AuthFailure::Unavailable));
    }
    scene
        .clock
        .pass(Duration::from_millis(ASK_PAUSE_MS_DEFAULT - 1));
    assert_eq!(scene.sign_in("s1").await, Err(AuthFailure::Unavailable));
    assert_eq!(
        scene.app.asked(),
        FAILURES,
        "the breaker is open: nothing arrived"
    );

    scene.clock.pass(Duration::from_millis(1));
    scene.app.now_does(Does::HangsUp);
    assert_eq!(scene.sign_in("s1").await, Err(AuthFailure::Unavailable));
    assert_eq!(scene.app.asked(), FAILURES + 1, "one was tried");
    assert_eq!(scene.sign_in("s1").await, Err(AuthFailure::Unavailable));
    assert_eq!(scene.app.asked(), FAILURES + 1, "and it opened again");

    scene.clock.pass(PAUSE);
    scene.app.now_does(yes());
    assert_eq!(subject(scene.sign_in("s1").await), "u1");
    assert_eq!(subject(scene.sign_in("s2").await), "u1");
    assert_eq!(scene.app.asked(), FAILURES + 3);
}

#[tokio::test]
async fn while_one_is_tried_the_others_are_refused_at_once() {
    let scene = broken().await;
    scene.clock.pass(PAUSE);
    scene.app.now_does(waits());
    let trial = scene.sign_in("trial");
    let others = async {
        scene.app.has_arrived(FAILURES + 1).await;
        for n in 0..20 {
            let asked = scene.sign_in(&format!("t{n}")).now_or_never();
            assert_eq!(asked, Some(Err(AuthFailure::Unavailable)));
        }
        assert_eq!(scene.app.asked(), FAILURES + 1);
        scene.app.let_go(1);
    };
    assert_eq!(subject(join(trial, others).await.0), "u1");
    scene.app.now_does(yes());
    assert_eq!(subject(scene.sign_in("t1").await), "u1");
}

#[tokio::test]
async fn a_trial_that_nobody_waits_for_leaves_the_next_one_its_turn() {
    let scene = broken().await;
    scene.clock.pass(PAUSE);
    scene.app.now_does(waits());
    {
        let trial = scene.sign_in("trial");
        pin_mut!(trial);
        let arrived = scene.app.has_arrived(FAILURES + 1);
        pin_mut!(arrived);
        select(trial, arrived).await;
    }
    scene.app.now_does(yes());
    assert_eq!(subject(scene.sign_in("s1").await), "u1");
    assert_eq!(scene.app.asked(), FAILURES + 2);
}

#[tokio::test]
async fn strange_credentials_cannot_make_the_application_look_down() {
    let scene = Scene::new(Does::Answers(400, String::new()), |_| {}).await;
    for n in 0..10 * FAILURES {
        let asked = scene.sign_in(&format!("s{n}")).await;
        assert_eq!(asked, Err(AuthFailure::Denied));
    }
    scene.app.now_does(yes());
    assert_eq!(subject(scene.sign_in("good").await), "u1");
}

#[tokio::test]
async fn requests_with_the_same_credentials_ask_once() {
    let scene = Scene::new(waits(), |_| {}).await;
    let herd = join_all((0..100).map(|_| scene.sign_in("s1")));
    let release = async {
        scene.app.has_arrived(1).await;
        scene.app.let_go(100);
    };
    let (asked, ()) = join(herd, release).await;
    assert_eq!(asked.len(), 100);
    for asked in asked {
        assert_eq!(subject(asked), "u1");
    }
    assert_eq!(scene.app.asked(), 1);
}

#[tokio::test]
async fn whoever_asked_may_go_and_the_next_one_asks_again() {
    let scene = Scene::new(waits(), |_| {}).await;
    let second = scene.sign_in("s1");
    pin_mut!(second);
    {
        let first = scene.sign_in("s1");
        pin_mut!(first);
        let arrived = scene.app.has_arrived(1);
        pin_mut!(arrived);
        select(first, arrived).await;
        assert!(
            second.as_mut().now_or_never().is_none(),
            "it waits for the first"
        );
    }
    let release = async {
        scene.app.has_arrived(2).await;
        scene.app.let_go(2);
    };
    assert_eq!(subject(join(second, release).await.0), "u1");
    assert_eq!(scene.app.asked(), 2);
}

#[tokio::test]
async fn so_many_ask_at_a_time_so_many_wait_and_the_rest_is_refused() {
    let asking = 3;
    let scene = Scene::new(waits(), |policy| policy.asking = asking).await;
    let count = asking + ASK_WAITING_MAX;
    let sessions: Vec<String> = (0..count).map(|n| format!("s{n}")).collect();
    let herd = join_all(sessions.iter().map(|session| scene.sign_in(session)));
    let release = async {
        scene.app.has_arrived(asking).await;
        let late = scene.sign_in("late").now_or_never();
        assert_eq!(late, Some(Err(AuthFailure::Unavailable)), "one too many");
        scene.app.let_go(count);
    };
    let (asked, ()) = join(herd, release).await;
    assert_eq!(asked.len(), count);
    for asked in asked {
        assert_eq!(subject(asked), "u1");
    }
    assert_eq!(scene.app.asked(), count);
    assert_eq!(scene.app.most_at_a_time(), asking);
}

#[tokio::test]
async fn a_silent_application_holds_up_nobody_else() {
    let scene = Scene::new(yes(), |_| {}).await;
    assert_eq!(subject(scene.sign_in("known").await), "u1");
    scene.app.now_does(Does::IsSilent);
    let stuck = scene.sign_in("stuck");
    pin_mut!(stuck);
    let arrived = scene.app.has_arrived(2);
    pin_mut!(arrived);
    select(stuck.as_mut(), arrived).await;
    let known = scene.sign_in("known").now_or_never();
    assert_eq!(subject(known.expect("at once")), "u1");
    let nobody = scene.present(&[], &[]).now_or_never();
    assert_eq!(nobody, Some(Ok(None)));
    assert!(stuck.now_or_never().is_none(), "it still waits");
}

#[tokio::test]
async fn nobody_waits_any_longer_once_it_is_known_to_be_down() {
    let scene = Scene::new(Does::IsSilent, |policy| {
        hasty(policy);
        policy.asking = 1;
    })
    .await;
    let sessions: Vec<String> = (0..50).map(|n| format!("s{n}")).collect();
    let asked = join_all(sessions.iter().map(|session| scene.sign_in(session))).await;
    assert!(
        asked
            .iter()
            .all(|asked| *asked == Err(AuthFailure::Unavailable))
    );
    // The time may run out before a question has arrived.
    assert!(scene.app.asked() <= FAILURES);
}

#[test]
fn a_provider_can_be_shared_by_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Arc<Application>>();
    is_shared::<PlainFetch>();
}
