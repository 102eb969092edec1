//! A column that moves to a table which is related by a foreign key (`docs/changes/move.md`), on a real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod support;

use coexist::plan::{Phase, Search};
use support::clients::{Clients, Random};
use support::in_flight::InFlight;

const NONE: Vec<String> = Vec::new();

// --- up: many orders have one customer, and the city goes to the customer ---

const UP: &str = "create table customers (id bigint primary key, name text);
    create table orders (id bigint primary key, customer_id bigint references customers on delete cascade on update cascade, city text);
    create index on orders (customer_id);";
const UP_ROWS: &str = "insert into customers values (1, 'Ada'), (2, 'Ben'), (3, 'Cy');
    insert into orders values (10, 1, 'Rome'), (11, 1, 'Rome'), (20, 2, null), (30, null, null);";
const MOVE_UP: &str = "change move_city { move orders.city to customers.home { via orders.customer_id, conflicting rows refuse } stage contract; }";

fn up(phase: Phase) -> InFlight {
    let mut db = InFlight::new(UP, UP_ROWS, MOVE_UP);
    db.reach(phase);
    db
}

/// What the orders of a customer say, and what the customer says.
#[track_caller]
fn city(db: &mut InFlight, customer: i64, expected: &str) {
    let orders = format!("select distinct coalesce(city, '-') from orders where customer_id = {customer}");
    let of_orders = db.rows(&orders);
    let of_customer = db.row(&format!("select home from customers where id = {customer}"));
    assert_eq!((of_orders, of_customer), (vec![expected.to_owned()], expected.to_owned()));
}

#[test]
fn up_the_backfill_gives_each_row_the_value_of_those_that_reference_it() {
    let mut db = up(Phase::Validated);
    city(&mut db, 1, "Rome");
    city(&mut db, 2, "-");
    assert_eq!(db.row("select home from customers where id = 3"), "-");
}

#[test]
fn up_a_write_of_old_code_reaches_the_customer_and_its_other_orders() {
    for mut db in [up(Phase::DualWriting), up(Phase::Validated)] {
        db.run("update orders set city = 'Oslo' where id = 10; insert into orders values (21, 2, 'Kiel')");
        city(&mut db, 1, "Oslo");
        city(&mut db, 2, "Kiel");
        db.run("update orders set city = null where id = 11; update orders set id = 22 where id = 20");
        city(&mut db, 1, "-");
        city(&mut db, 2, "Kiel");
    }
    let mut db = up(Phase::DualWriting);
    db.run("update orders set city = null where id = 11").reach(Phase::Validated);
    city(&mut db, 1, "-");
}

#[test]
fn up_a_write_of_new_code_reaches_all_orders() {
    for mut db in [up(Phase::DualWriting), up(Phase::Validated)] {
        db.run("update customers set home = 'Oslo' where id = 1; insert into customers values (4, 'Di', 'Bonn')");
        city(&mut db, 1, "Oslo");
        db.run("insert into orders (id, customer_id) values (12, 1), (40, 4); update customers set home = 'Kiel' where id = 2; update customers set name = 'x'");
        city(&mut db, 1, "Oslo");
        city(&mut db, 4, "Bonn");
        city(&mut db, 2, "Kiel");
    }
}

#[test]
fn up_a_row_that_comes_shows_what_the_others_show() {
    for mut db in [up(Phase::DualWriting), up(Phase::Validated)] {
        db.run("insert into orders values (12, 1, null); update orders set customer_id = 1 where id = 20; update orders set customer_id = 1 where id = 30");
        city(&mut db, 1, "Rome");
        db.run("update orders set customer_id = 3, city = 'Pisa' where id = 10; update orders set customer_id = null where id = 11");
        city(&mut db, 3, "Pisa");
        assert_eq!(db.row("select city from orders where id = 11"), "Rome");
        city(&mut db, 1, "Rome");
    }
}

#[test]
fn h46_up_deletes_and_key_updates_cascade() {
    for mut db in [up(Phase::DualWriting), up(Phase::Validated)] {
        db.run("update customers set id = 7 where id = 1; delete from orders where id = 11; delete from customers where id = 2");
        assert_eq!(db.rows("select id, customer_id, city from orders order by 1"), ["10|7|Rome", "30|-|-"]);
        db.reach(Phase::Validated);
        city(&mut db, 7, "Rome");
    }
}

#[test]
fn up_rows_that_do_not_agree_are_listed_or_one_value_is_taken() {
    let mut db = up(Phase::Declared);
    db.run("insert into orders values (13, 2, 'Kiel'), (31, 3, 'Pisa'), (32, 3, 'Bari'), (33, null, 'Rome')");
    let probes = db.plans[0].probes.clone();
    let [conflicting, unmatched] = probes.as_slice() else { panic!("{probes:?}") };
    let Search::Groups { query, .. } = &conflicting.search else { panic!("{conflicting:?}") };
    assert_eq!(db.rows(&format!("{query} order by 1")), ["customer_id = 2 (2 rows)", "customer_id = 3 (2 rows)"]);
    assert_eq!((conflicting.blocks, unmatched.blocks), (Phase::Backfilled, Phase::Contracted));
    let Search::Rows { table, join: Some((joined, on)), condition, .. } = &unmatched.search else { panic!() };
    let unmatched = format!(
        "select source.id from {} as source left join {} as target on {on} where {condition}",
        table.quoted(),
        joined.quoted()
    );
    assert_eq!(db.rows(&unmatched), ["33"]);

    let change =
        MOVE_UP.replace("rows refuse", "rows take \"max(city)\"").replace("} stage", ", unmatched discard } stage");
    let mut db = InFlight::new(UP, UP_ROWS, &change);
    assert!(db.plans[0].probes.is_empty());
    db.run("insert into orders values (13, 2, 'Kiel'), (31, 3, 'Pisa'), (32, 3, 'Bari'), (33, null, 'Rome')")
        .reach(Phase::Validated);
    city(&mut db, 2, "Kiel");
    city(&mut db, 3, "Pisa");
    db.reach(Phase::Contracted);
    assert_eq!(db.rows("select id, home from customers order by 1"), ["1|Rome", "2|Kiel", "3|Pisa"]);
}

// --- down: many contacts belong to one company, and each gets the company's phone ---

const DOWN: &str = "create table companies (id bigint primary key, phone text not null constraint has_digits check (phone ~ '[0-9]'));
    create table contacts (id bigint primary key, company_id bigint not null references companies on delete cascade on update cascade, name text);
    create index on contacts (company_id, name);
    create index phones on companies (phone);
    comment on column companies.phone is 'With the prefix';";
const DOWN_ROWS: &str = "insert into companies values (1, '111'), (2, '222');
    insert into contacts values (10, 1, 'Ada'), (11, 1, 'Ben'), (20, 2, 'Cy');";
const MOVE_DOWN: &str = "change move_phone { move companies.phone to contacts.phone { via contacts.company_id, unmatched discard } stage contract; }";

fn down(phase: Phase) -> InFlight {
    let mut db = InFlight::new(DOWN, DOWN_ROWS, MOVE_DOWN);
    db.reach(phase);
    db
}

#[track_caller]
fn phone(db: &mut InFlight, company: i64, expected: &str) {
    let of_contacts = db.rows(&format!("select distinct phone from contacts where company_id = {company}"));
    let of_company = db.row(&format!("select phone from companies where id = {company}"));
    assert_eq!((of_contacts, of_company), (vec![expected.to_owned()], expected.to_owned()));
}

#[test]
fn down_each_row_gets_the_value_and_they_share_it_until_the_contract() {
    for mut db in [down(Phase::DualWriting), down(Phase::Validated)] {
        db.run("update companies set phone = '112' where id = 1; insert into contacts (id, company_id) values (12, 1); update contacts set name = 'z' where id = 20");
        db.reach(Phase::Validated);
        phone(&mut db, 1, "112");
        phone(&mut db, 2, "222");
        db.run("update contacts set phone = '113' where id = 11; insert into contacts values (21, 2, 'New', '333')");
        phone(&mut db, 1, "113");
        phone(&mut db, 2, "333");
        db.run("update contacts set company_id = 2 where id = 10; update contacts set company_id = 1, phone = '9' where id = 20");
        phone(&mut db, 1, "9");
        phone(&mut db, 2, "333");
        assert_eq!(db.fails("update contacts set phone = null where id = 10").0, "23514");
        assert_eq!(db.fails("update contacts set phone = 'none' where id = 10").0, "23514");
    }
}

#[test]
fn down_a_not_null_column_is_held_until_the_end_of_the_transaction() {
    let mut db = down(Phase::Validated);
    db.run("begin; insert into companies (id) values (3); insert into contacts values (30, 3, 'Di', '444'); commit");
    phone(&mut db, 3, "444");
    assert_eq!(db.fails("insert into companies (id) values (4)").0, "23502");
    assert_eq!(db.fails("update companies set phone = null where id = 1").0, "23514");
}

#[test]
fn down_the_contract_leaves_the_new_shape() {
    let fresh = "create table companies (id bigint primary key);
        create table contacts (id bigint primary key, company_id bigint not null references companies on delete cascade on update cascade, name text,
            phone text not null constraint has_digits check (phone ~ '[0-9]'));
        create index on contacts (company_id, name);
        create index phones on contacts (phone);
        comment on column contacts.phone is 'With the prefix';";
    let mut db = down(Phase::Contracted);
    let freshly_made = InFlight::new(fresh, "", "");
    let expected = support::catalog_dump(&mut freshly_made.database.connect().unwrap());
    assert_eq!(support::catalog_dump(&mut db.client), expected);
    db.run("update contacts set phone = '1' where id = 10");
    assert_eq!(db.rows("select id, phone from contacts order by 1"), ["10|1", "11|111", "20|222"]);
}

// --- both ---

#[test]
fn rollback_leaves_the_catalog_and_what_new_code_wrote() {
    for (schema, rows, change, write, read) in [
        (
            UP,
            UP_ROWS,
            MOVE_UP,
            "update customers set home = 'Oslo' where id = 1",
            "select city from orders where id = 10",
        ),
        (
            DOWN,
            DOWN_ROWS,
            MOVE_DOWN,
            "update contacts set phone = '9' where id = 11",
            "select phone from companies where id = 1",
        ),
    ] {
        let mut untouched = InFlight::new(schema, rows, change);
        let before = support::catalog_dump(&mut untouched.client);
        let old = untouched.row(read);
        for phase in [Phase::Expanded, Phase::DualWriting, Phase::Backfilled, Phase::Validated] {
            let mut db = InFlight::new(schema, rows, change);
            db.reach(phase);
            if phase >= Phase::DualWriting {
                db.run(write);
            }
            db.roll_back();
            assert_eq!(support::catalog_dump(&mut db.client), before, "after a rollback from {}", phase.name());
            assert_eq!(db.row(read) == old, phase < Phase::DualWriting);
        }
    }
}

#[test]
fn h36_what_the_tables_own_triggers_write_is_carried() {
    for name in ["aaa_sign", "zzz_sign"] {
        let trigger = format!(
            "create function sign() returns trigger language plpgsql as
                $$ begin update orders set city = new.city || '!' where id = new.id and city not like '%!'; return null; end $$;
            create trigger {name} after insert or update on orders for each row execute function sign();"
        );
        let mut db = InFlight::new(&format!("{UP} {trigger}"), UP_ROWS, MOVE_UP);
        db.reach(Phase::DualWriting)
            .run("update orders set city = 'Oslo' where id = 10; update customers set home = 'Kiel' where id = 2");
        city(&mut db, 1, "Oslo!");
        city(&mut db, 2, "Kiel!");
    }
}

#[test]
fn h57_a_composite_reference_one_to_one() {
    let schema = "create table parts (tenant int, no int, \"Note\" json, primary key (tenant, no));
        create table details (id int primary key, tenant int, part_no int, unique (part_no, tenant), foreign key (tenant, part_no) references parts on update cascade);";
    let data = "insert into parts select 1, n, json_build_object('n', n) from generate_series(1, 9000) n;
        insert into details select n, 1, n from generate_series(1, 9000, 3) n";
    let change = "change move_note { move parts.\"Note\" to details.note { via details.tenant, part_no, unmatched discard } stage contract; }";
    let mut db = InFlight::new(schema, data, change);
    db.reach(Phase::DualWriting).run("update details set note = '[1]' where id = 4; update parts set \"Note\" = null where no = 7; update parts set no = 10000 where no = 10");
    db.reach(Phase::Validated).run("update parts set \"Note\" = '[2]' where no = 13");
    assert_eq!(db.row("select count(*) from details d join parts p on p.tenant = d.tenant and p.no = part_no where note::text is not distinct from \"Note\"::text"), "3000");
    db.reach(Phase::Contracted);
}

/// Whatever they write, and however the phases fall between it, a row and all that reference it end alike.
#[test]
fn h12_h51_h52_clients_of_both_shapes_at_once() {
    let data = "insert into customers select n, 'c' from generate_series(1, 300) n;
        insert into orders select 1000 + n, 1 + n % 300, 'city ' || (1 + n % 300) from generate_series(1, 900) n";
    let mut db = InFlight::new(UP, data, MOVE_UP);
    db.reach(Phase::DualWriting);
    let write = |random: &mut Random| {
        let (customer, order, text) = (1 + random.below(8), 1 + random.below(12), random.below(1000));
        match random.below(12) {
            0 => format!("insert into orders values ({order}, {customer}, 'o{text}')"),
            1 => format!("insert into orders (id, customer_id) values ({order}, {customer})"),
            2 => format!("delete from orders where id = {order}"),
            3 => format!("update orders set customer_id = {customer} where id = {order}"),
            4 => format!("update orders set customer_id = {customer}, city = 'o{text}' where id = {order}"),
            5 => format!("update orders set city = null where id = {order}"),
            6 => format!("update customers set home = null where id = {customer}"),
            7 => format!("update customers set id = 400 where id = {customer}"),
            8 => format!("update customers set id = {customer} where id = 400"),
            9 => format!("insert into customers values ({customer}, 'c', 'n{text}')"),
            10 => format!("update orders set city = 'o{text}' where id in ({order}, {})", 1000 + customer),
            _ => format!("update customers set home = 'n{text}' where id in ({customer}, {})", 1 + text % 8),
        }
    };
    let clients = Clients::start(&db.database, 4, write);
    clients.go_on_for(200);
    db.reach(Phase::Backfilled);
    clients.go_on_for(200);
    db.reach(Phase::Validated);
    clients.go_on_for(400);
    clients.stop();
    let differ = "select o.id, o.city, c.home from orders o join customers c on c.id = customer_id where city is distinct from home";
    assert_eq!(db.rows(differ), NONE);
}
