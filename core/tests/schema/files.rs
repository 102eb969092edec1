use std::fs;
use std::sync::Arc;

use coexist_core::schema::load::{LoadFileError, load_file};

use crate::name;

#[test]
fn a_file_is_read_once_as_long_as_it_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("schema.sql");
    fs::write(&path, "CREATE TABLE t (a int);").unwrap();
    let first = load_file(&path).unwrap();
    assert!(Arc::ptr_eq(&first, &load_file(&path).unwrap()));
    assert_eq!(first.source, "schema.sql");
    fs::write(&path, "CREATE TABLE other (a int);").unwrap();
    let second = load_file(&path).unwrap();
    assert!(second.tables.contains_key(&name("other")));
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let missing = load_file(&path("missing.sql")).unwrap_err();
    assert!(matches!(missing, LoadFileError::Missing { .. }));
    assert!(missing.to_string().starts_with("there is no schema file `"));
    assert!(matches!(load_file(folder.path()).unwrap_err(), LoadFileError::Unreadable { .. }));
    fs::write(path("latin1.sql"), b"-- a\n-- \xe9\n").unwrap();
    assert!(matches!(load_file(&path("latin1.sql")).unwrap_err(), LoadFileError::NotUtf8 { line: 2, .. }));
    fs::write(path("wrong.sql"), "\n  nonsense;").unwrap();
    let wrong = load_file(&path("wrong.sql")).unwrap_err().to_string();
    assert!(wrong.ends_with("wrong.sql:2:3: expected an SQL statement, found `nonsense`"), "{wrong}");
}
