//! What is said about text that is no SQL.

use coexist_core::schema::load::load;

/// `line:column: message` of each mistake.
fn errors(sql: &str) -> Vec<String> {
    match load("test.sql", sql) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let cases = [
        ("CREAT TABLE t (a int)", "1:1: expected an SQL statement, found `CREAT`; is `CREATE` meant?"),
        ("CREATE TABEL t (a int)", "1:8: expected a kind of object, as `TABLE` or `INDEX`, found `TABEL`"),
        ("CREATE TABLE t (a int b text)", "1:23: expected `,` or `)`, found `b`"),
        ("CREATE TABLE t (\n  é int,,\n  b int)", "2:9: expected a name, found `,`"),
        ("CREATE TABLE t (a)", "1:18: expected a name, found `)`"),
        ("CREATE TABLE t (a int CHECK a > 0)", "1:29: expected `(`, found `a`"),
        ("CREATE TABLE t (a int DEFAULT)", "1:30: expected an expression, found `)`"),
        ("CREATE INDEX ON;", "1:16: expected a name, found `;`"),
        ("COMMENT ON TABLE t IS", "1:22: expected a string, found the end"),
        ("hello", "1:1: expected an SQL statement, found `hello`"),
    ];
    for (sql, message) in cases {
        assert_eq!(errors(sql), [message], "{sql}");
    }
}

#[test]
fn what_is_not_closed_is_shown_where_it_opens() {
    let cases = [
        ("CREATE TABLE t (\n  a text DEFAULT 'x\n);", "2:18: this string is not closed: no `'` follows"),
        ("SELECT \"a", "1:8: this quoted name is not closed: no `\"` follows"),
        ("/* a /* b */", "1:1: this comment is not closed: no `*/` follows"),
        ("DO $x$ $y$", "1:4: this dollar-quoted string is not closed: no closing tag follows"),
    ];
    for (sql, message) in cases {
        assert_eq!(errors(sql), [message], "{sql}");
    }
}

#[test]
fn each_statement_has_its_own_mistake() {
    let found = errors("CREATE TABLE a (b);\nCREATE TABLE c (d int);\nCREATE INDEX i ON;\nfoo;");
    assert_eq!(found.len(), 3);
    assert!(found[0].starts_with("1:18") && found[1].starts_with("3:18") && found[2].starts_with("4:1"));
}
