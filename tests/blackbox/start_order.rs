//! How a server starts: whatever needs rights comes before the first thread, since a thread that runs keeps what its process gives up.

use tests::server::Installation;

use crate::no_exec::traced;

#[test]
fn listeners_are_bound_and_files_opened_before_there_is_a_second_thread() {
    let installation = Installation::new(&Default::default());
    let server = traced(&installation, "listen,openat,clone,clone3");
    let trace = std::fs::read_to_string(installation.path("trace")).unwrap();
    assert!(server.terminate().success());
    let lines: Vec<&str> = trace.lines().collect();
    let first_thread =
        lines.iter().position(|line| line.contains("CLONE_THREAD")).expect("a server has threads");
    let places = |call: &str| -> Vec<usize> {
        lines.iter().enumerate().filter(|(_, line)| line.contains(call)).map(|(place, _)| place).collect()
    };
    for call in [" listen(", "/master.key\"", ".pem\"", "/server.lock\""] {
        let places = places(call);
        assert!(!places.is_empty() && places.iter().all(|place| *place < first_thread), "{call}: {trace}");
    }
}
