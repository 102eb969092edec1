//! The example runs, on a server of its own and with a small load, and nothing fails and nothing is lost.

use std::process::Command;

#[test]
fn it_runs() {
    let small = ["--users", "400", "--beat", "100"];
    let output = Command::new(env!("CARGO_BIN_EXE_rolling_deploy")).args(small).output().unwrap();
    let (told, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{error}");
    assert!(told.contains(" 0 failed") && told.contains(" 0 lost updates"), "{told}");
}

/// Code of a shape is the same text at every stage: version 2 has that of version 1 and that of version 3.
#[test]
fn versions_share_the_code_of_the_shapes() {
    assert_eq!(include_str!("../versions/v1/src/before.rs"), include_str!("../versions/v2/src/before.rs"));
    assert_eq!(include_str!("../versions/v2/src/after.rs"), include_str!("../versions/v3/src/after.rs"));
}
