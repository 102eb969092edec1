//! Which timeout speaks.

use crate::support::{code, database};

#[test]
fn h24_a_statement_timeout_hides_a_lock_timeout_that_is_not_shorter() {
    let database = database("timeouts");
    let mut holder = database.connect().unwrap();
    holder.batch_execute("create table t (a integer)").unwrap();
    holder.batch_execute("begin; lock table t in access exclusive mode").unwrap();
    let mut client = database.connect().unwrap();
    for (lock_timeout, statement_timeout, expected) in [
        ("100ms", "1h", "55P03"),
        ("100ms", "100ms", "57014"),
        ("1h", "100ms", "57014"),
        ("100ms", "0", "55P03"),
        ("0", "100ms", "57014"),
    ] {
        client
            .batch_execute(&format!(
                "set lock_timeout = '{lock_timeout}'; set statement_timeout = '{statement_timeout}'"
            ))
            .unwrap();
        let error = client.batch_execute("alter table t add b integer").unwrap_err();
        assert_eq!(code(&error), expected, "lock_timeout {lock_timeout}, statement_timeout {statement_timeout}");
    }
}
