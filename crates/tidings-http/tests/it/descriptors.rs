//! D13: a process that runs out of descriptors. It needs a limit of its own, so the test starts itself
//! again as a child with a low one.

use std::net::TcpStream;
use std::process::Command;

use crate::client::Request;
use crate::world::World;

/// Set for the child.
const CHILD: &str = "TIDINGS_TEST_FEW_DESCRIPTORS";

#[test]
fn d13_without_descriptors_the_hub_waits_and_recovers() {
    if std::env::var_os(CHILD).is_some() {
        run_out_of_descriptors();
        return;
    }
    let output = Command::new("sh")
        .arg("-c")
        .arg("ulimit -n 64 && exec \"$0\" --exact descriptors::d13_without_descriptors_the_hub_waits_and_recovers")
        .arg(std::env::current_exe().expect("this program"))
        .env(CHILD, "1")
        .output()
        .expect("the child starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("1 passed"), "{said}");
}

fn run_out_of_descriptors() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let world = World::start().await;
        // Connections wait in the kernel's queue: nothing is accepted while this thread is here.
        let mut taken = Vec::new();
        let error = loop {
            match TcpStream::connect(world.address) {
                Ok(socket) => taken.push(socket),
                Err(error) => break error,
            }
        };
        assert_eq!(error.raw_os_error(), Some(24), "{error}");
        // The fault has happened, and more than once.
        while world.figure("tidings_http_accepts_failed_total").await < 3 {
            tokio::task::yield_now().await;
        }
        drop(taken);
        assert_eq!(world.send(Request::get("/healthz")).await.status, 200);
    });
}
