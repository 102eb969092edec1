//! Applications that write values, and the table of values, at the same moment.

use std::thread;

use coexist::plan::Phase;
use postgres::Client;

use crate::support::clients::{Clients, Random};
use crate::support::in_flight::InFlight;
use crate::{ADDRESSES, EXTRACT, at, both, change, countries};

/// Runs `second` while a transaction that has run `first` is open, and ends that with `end` once the second one waits for it. Says what
/// became of the second: the code of its error.
fn meanwhile(db: &InFlight, first: &str, end: &str, begin_second: &str, second: &str) -> Result<(), String> {
    let mut writer = db.database.connect().unwrap();
    let mut other = db.database.connect().unwrap();
    // The snapshot of a whole transaction is taken before the first one writes.
    other.batch_execute(&format!("{begin_second}; select from addresses, countries")).unwrap();
    writer.batch_execute(&format!("begin; {first}")).unwrap();
    let pid = |client: &mut Client| client.query_one("select pg_backend_pid()", &[]).unwrap().get::<_, i32>(0);
    let waiting = pid(&mut other);
    let second = format!("{second}; commit");
    let writing = thread::spawn(move || other.batch_execute(&second).map_err(|e| e.code().unwrap().code().to_owned()));
    let mut watch = db.database.connect().unwrap();
    while !watch.query_one("select cardinality(pg_blocking_pids($1)) > 0", &[&waiting]).unwrap().get::<_, bool>(0) {
        assert!(!writing.is_finished(), "it did not wait");
        thread::yield_now();
    }
    writer.batch_execute(end).unwrap();
    writing.join().unwrap()
}

#[test]
fn one_of_two_that_write_the_same_new_value_waits_for_the_other() {
    let [insert, update] = [
        "insert into addresses values ({id}, 'x', 'Chad', 'TD')",
        "update addresses set country = 'Chad', country_code = 'TD' where id = {id}",
    ];
    for phase in [Phase::DualWriting, Phase::Validated] {
        for (isolation, end, expected) in [
            ("read committed", "commit", Ok(())),
            ("read committed", "rollback", Ok(())),
            ("repeatable read", "commit", Err("40001".to_owned())),
            ("repeatable read", "rollback", Ok(())),
            ("serializable", "commit", Err("40001".to_owned())),
        ] {
            let mut db = at(phase);
            let begin = format!("begin isolation level {isolation}");
            let got = meanwhile(&db, &insert.replace("{id}", "4"), end, &begin, &update.replace("{id}", "3"));
            assert_eq!(got, expected, "{isolation}, {end}");
            if expected.is_err() {
                // What is tried again finds the value.
                db.run(&format!("{begin}; {}; commit", update.replace("{id}", "3")));
            }
            both(&mut db, 3, "Chad|TD");
            assert_eq!(db.row("select count(*) from countries where name = 'Chad'"), "1");
        }
    }
}

#[test]
fn a_row_that_comes_to_a_value_which_is_being_edited_gets_one_of_its_own() {
    let mut db = at(Phase::Validated);
    let edit = "update countries set name = 'Osterreich' where code = 'AT'";
    let come = "update addresses set country = 'Austria', country_code = 'AT' where id = 3";
    assert_eq!(meanwhile(&db, edit, "commit", "begin", come), Ok(()));
    both(&mut db, 1, "Osterreich|AT");
    both(&mut db, 3, "Austria|AT");
    assert_eq!(countries(&mut db), ["Austria|AT", "Belgium|BE", "Osterreich|AT"]);
}

#[test]
fn a_value_is_edited_with_the_rows_that_are_coming_to_it() {
    let edit = "update countries set name = 'Osterreich' where code = 'AT'";
    for phase in [Phase::Backfilled, Phase::Validated] {
        for come in [
            "update addresses set country = 'Austria', country_code = 'AT' where id = 3",
            "update addresses set country_id = (select id from countries where code = 'AT') where id = 3",
        ] {
            let mut db = at(phase);
            assert_eq!(meanwhile(&db, come, "commit", "begin", edit), Ok(()));
            both(&mut db, 3, "Osterreich|AT");
            both(&mut db, 1, "Osterreich|AT");
        }
    }
}

#[test]
fn a_value_that_a_row_is_coming_to_is_not_deleted() {
    for phase in [Phase::Backfilled, Phase::Validated] {
        let mut db = at(phase);
        db.run("insert into countries (name, code) values ('Chad', 'TD')");
        let come = "insert into addresses values (4, 'x', 'Chad', 'TD')";
        let delete = "delete from countries where code = 'TD'";
        assert_eq!(meanwhile(&db, come, "commit", "begin", delete), Err("23503".to_owned()));
        both(&mut db, 4, "Chad|TD");
    }
}

/// Whatever they write, and however the phases fall between it: each row refers to the values that it shows, each value is there once, and
/// no row that is gone comes back.
#[test]
fn h12_h51_h52_clients_of_both_shapes_at_once() {
    let data =
        "insert into addresses select n, 's', 'country ' || n % 40, 'c' || n % 40 from generate_series(1, 400) n";
    let mut db = InFlight::new(ADDRESSES, data, &change(EXTRACT));
    db.reach(Phase::DualWriting);
    let write = |random: &mut Random| {
        let (id, other, n) = (1 + random.below(12), 401 + random.below(6), random.below(8));
        match random.below(12) {
            0 => format!("insert into addresses values ({other}, 's', 'new {n}', 'n')"),
            1 => format!("delete from addresses where id in ({other}, {})", 13 + random.below(388)),
            2 => format!("update addresses set country = 'new {n}' where id in ({id}, {other})"),
            3 => format!("update addresses set country = 'country {n}', country_code = 'c{n}' where id = {id}"),
            4 => format!("update addresses set street = 'x' where id = {id}"),
            5 => format!("insert into countries (name, code) values ('new {n}', 'n')"),
            6 => format!("update countries set name = 'edited {n}' where code = 'c{n}'"),
            7 => format!("update countries set name = 'country {n}' where code = 'c{n}'"),
            8 => format!("delete from countries where name = 'new {n}'"),
            9 => format!(
                "update addresses set country_id = (select id from countries where code = 'c{n}' limit 1) where id = {id} and exists (select from countries where code = 'c{n}')"
            ),
            10 => format!(
                "begin; insert into countries (name, code) values ('new {n}', 'n') on conflict do nothing; insert into addresses (id, country_id) select {other}, id from countries where name = 'new {n}' limit 1; commit"
            ),
            _ => format!("update addresses set id = {other} where id = {id}"),
        }
    };
    let clients = Clients::start(&db.database, 4, write);
    clients.go_on_for(200);
    db.reach(Phase::Backfilled);
    clients.go_on_for(200);
    db.reach(Phase::Validated);
    clients.go_on_for(400);
    clients.stop();
    let differ =
        "select a.id, country, country_code, name, code from addresses a left join countries c on c.id = country_id
        where (country, country_code) is distinct from (name, code)";
    assert_eq!(db.rows(differ), Vec::<String>::new());
    assert_eq!(db.rows("select name, code from countries group by 1, 2 having count(*) > 1"), Vec::<String>::new());
}
