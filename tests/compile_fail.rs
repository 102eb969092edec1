//! Programs that must not compile, and what the compiler says about them.
//!
//! `TRYBUILD=overwrite cargo test --test compile_fail` writes the messages anew. Read each difference as the person who made the mistake.
#![allow(clippy::unwrap_used, reason = "a test says by a panic that it fails")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The compiler whose words stand in the `.stderr` files. Those of others differ.
const COMPILER: &str = "rustc 1.95.";

const MORE_FEATURES: bool = cfg!(any(
    feature = "with-chrono-0_4",
    feature = "with-rust_decimal-1",
    feature = "with-serde_json-1",
    feature = "with-time-0_3",
    feature = "with-uuid-1"
));

#[test]
fn programs_that_must_not_compile() {
    let version = compiler_version();
    if !version.starts_with(COMPILER) {
        println!("not run: the messages were made with {COMPILER}*, and this is {version}");
        return;
    }
    if MORE_FEATURES {
        println!("not run: the messages were made with the default features, and there are more types with others");
        return;
    }
    copy(Path::new("tests/ui/crate"), &crate_of_the_programs());
    trybuild::TestCases::new().compile_fail("tests/ui/*/*.rs");
}

fn compiler_version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Where trybuild puts the `Cargo.toml` of all the programs: paths in a declaration begin there, and `migrations/` is beside it.
fn crate_of_the_programs() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("tests/trybuild").join(env!("CARGO_PKG_NAME"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}
