//! The generated accessors of both shapes, called by many at once: they lock in one order, so that no two of them wait for each other.

use coexist::plan::Phase;
use postgres::Client;

use crate::support::clients::{Clients, Random};
use crate::support::in_flight::InFlight;

const SCHEMA: &str = "
    create table users (id bigint primary key, bio text, nick text);
    create table settings (user_id bigint primary key references users, theme text);
    create table addresses (id bigint primary key, country text not null);
    create table orders (id bigint primary key, user_id bigint references users, city text, note text);
    create index on orders (user_id);";

mod declared {
    #![allow(missing_docs, reason = "generated for these tests")]
    coexist::migrations! {
        schema sql "
            create table users (id bigint primary key, bio text, nick text);
            create table settings (user_id bigint primary key references users, theme text);
            create table addresses (id bigint primary key, country text not null);
            create table orders (id bigint primary key, user_id bigint references users, city text, note text);
            create index on orders (user_id);";

        change split_bio { split users into profiles { key user_id, move bio } stage expand; }
        change merge_settings { merge settings into users { key user_id, move theme } stage expand; }
        change extract_countries { extract countries from addresses (country as name) { key id: bigint, reference country_id } stage expand; }
        change move_city { move orders.city to users.city { via orders.user_id, conflicting rows refuse } stage expand; }
        change move_nick { move users.nick to orders.nick { via orders.user_id, unmatched discard } stage expand; }
    }
}

type Write = fn(&mut Client, &mut Random) -> Result<(), postgres::Error>;

/// A change, what its applications do, and what lists the rows about which the shapes disagree.
struct Applications {
    change: &'static str,
    write: Write,
    differ: &'static str,
}

const ALL: [Applications; 5] = [
    Applications {
        change: "change split_bio { split users into profiles { key user_id, move bio } stage expand; }",
        write: split,
        differ: "select id from users full join profiles on user_id = id where id is null or users.bio is distinct from profiles.bio",
    },
    Applications {
        change: "change merge_settings { merge settings into users { key user_id, move theme } stage expand; }",
        write: merge,
        differ: "select id from users full join settings on user_id = id where id is null or users.theme is distinct from settings.theme",
    },
    Applications {
        change: "change extract_countries { extract countries from addresses (country as name) { key id: bigint, reference country_id } stage expand; }",
        write: extract,
        differ: "select a.id from addresses a left join countries c on c.id = country_id where country is distinct from name",
    },
    Applications {
        change: "change move_city { move orders.city to users.city { via orders.user_id, conflicting rows refuse } stage expand; }",
        write: move_up,
        differ: "select o.id from orders o join users u on u.id = user_id where o.city is distinct from u.city",
    },
    Applications {
        change: "change move_nick { move users.nick to orders.nick { via orders.user_id, unmatched discard } stage expand; }",
        write: move_down,
        differ: "select o.id from orders o join users u on u.id = user_id where o.nick is distinct from u.nick",
    },
];

#[test]
fn h12_accessors_of_both_shapes_do_not_deadlock() {
    let data = "insert into users select n, 'b', null from generate_series(1, 8) n; insert into settings select n, 't' from generate_series(1, 8, 2) n;
        insert into addresses select n, 'c' || n % 4 from generate_series(1, 12) n; insert into orders select n, 1 + n % 4 from generate_series(1, 12) n";
    for Applications { change, write, differ } in ALL {
        let mut db = InFlight::new(SCHEMA, data, change);
        db.reach(Phase::Validated);
        let clients = Clients::working(&db.database, 4, write);
        clients.go_on_for(600);
        assert_eq!(clients.stop(), 0, "deadlocks: {change}");
        assert_eq!(db.rows(differ), Vec::<String>::new(), "{change}");
    }
}

fn number(random: &mut Random, bound: usize) -> i64 {
    1 + i64::try_from(random.below(bound)).unwrap()
}

/// One of a few texts, or none.
fn text(random: &mut Random) -> Option<String> {
    Some(random.below(6)).filter(|n| *n > 0).map(|n| format!("t{n}"))
}

fn split(client: &mut Client, random: &mut Random) -> Result<(), postgres::Error> {
    use declared::split_bio::{Backfilled, after, before};
    let (id, bio, proof) = (number(random, 8), text(random), Backfilled::prove(client).unwrap());
    match random.below(5) {
        0 => drop(before::users::update(client, id, &before::users::Update { bio: bio.into(), ..Default::default() })?),
        1 => drop(after::profiles::insert(proof.on(client), &after::profiles::Insert { user_id: id, bio })?),
        2 => drop(after::profiles::delete(proof.on(client), id)?),
        3 => {
            let rows = [id, number(random, 8)].map(|user_id| after::profiles::Insert { user_id, bio: bio.clone() });
            after::profiles::insert_many(proof.on(client), &rows)?;
        }
        _ => {
            let values = after::profiles::Update { bio: bio.into(), ..Default::default() };
            after::profiles::update(proof.on(client), id, &values)?;
        }
    }
    Ok(())
}

fn merge(client: &mut Client, random: &mut Random) -> Result<(), postgres::Error> {
    use declared::merge_settings::{Backfilled, after, before};
    let (id, theme, proof) = (number(random, 8), text(random), Backfilled::prove(client).unwrap());
    match random.below(5) {
        0 => drop(before::settings::insert(client, &before::settings::Insert { user_id: id, theme })?),
        1 => drop(before::settings::delete(client, id)?),
        2 => {
            let rows =
                [id, number(random, 8)].map(|user_id| before::settings::Insert { user_id, theme: theme.clone() });
            before::settings::insert_many(client, &rows)?;
        }
        3 => {
            let values = before::settings::Update { theme: theme.into(), ..Default::default() };
            before::settings::update(client, id, &values)?;
        }
        _ => {
            let values = after::users::Update { theme: theme.into(), ..Default::default() };
            after::users::update(proof.on(client), id, &values)?;
        }
    }
    Ok(())
}

fn extract(client: &mut Client, random: &mut Random) -> Result<(), postgres::Error> {
    use declared::extract_countries::{Backfilled, after, before};
    let (id, proof) = (number(random, 12), Backfilled::prove(client).unwrap());
    let country = text(random).unwrap_or_else(|| "none".to_owned());
    match random.below(4) {
        0 => drop(before::addresses::delete(client, id)?),
        1 => drop(before::addresses::insert(client, &before::addresses::Insert { id, country })?),
        2 => {
            let values = before::addresses::Update { country: country.into(), ..Default::default() };
            before::addresses::update(client, id, &values)?;
        }
        _ => {
            let values = after::countries::Update { name: country.into(), ..Default::default() };
            after::countries::update(proof.on(client), number(random, 6), &values)?;
        }
    }
    Ok(())
}

fn move_up(client: &mut Client, random: &mut Random) -> Result<(), postgres::Error> {
    use declared::move_city::{Backfilled, after, before};
    let (id, user_id, city) = (number(random, 12), Some(number(random, 4)), text(random));
    let proof = Backfilled::prove(client).unwrap();
    match random.below(6) {
        0 => drop(before::orders::delete(client, id)?),
        1 => {
            let rows = [id, number(random, 12)].map(|id| before::orders::Insert {
                id,
                user_id: Some(1 + id % 4),
                city: city.clone(),
                note: None,
            });
            before::orders::insert_many(client, &rows)?;
        }
        2 => {
            let values = before::orders::Update { user_id: user_id.into(), ..Default::default() };
            before::orders::update(client, id, &values)?;
        }
        3 => {
            let values = after::users::Update { city: city.into(), ..Default::default() };
            after::users::update(proof.on(client), number(random, 4), &values)?;
        }
        4 => drop(after::orders::insert(proof.on(client), &after::orders::Insert { id, user_id, note: None })?),
        _ => {
            let values = before::orders::Update { city: city.into(), ..Default::default() };
            before::orders::update(client, id, &values)?;
        }
    }
    Ok(())
}

fn move_down(client: &mut Client, random: &mut Random) -> Result<(), postgres::Error> {
    use declared::move_nick::{Backfilled, after, before};
    let (id, user_id, nick) = (number(random, 12), Some(number(random, 4)), text(random));
    let proof = Backfilled::prove(client).unwrap();
    match random.below(5) {
        0 => drop(before::orders::delete(client, id)?),
        1 => {
            let rows = [id, number(random, 12)].map(|id| after::orders::Insert {
                id,
                user_id: Some(1 + id % 4),
                nick: nick.clone(),
                city: None,
                note: None,
            });
            after::orders::insert_many(proof.on(client), &rows)?;
        }
        2 => {
            let values = after::orders::Update { user_id: user_id.into(), ..Default::default() };
            after::orders::update(proof.on(client), id, &values)?;
        }
        3 => {
            let values = before::users::Update { nick: nick.into(), ..Default::default() };
            before::users::update(client, number(random, 4), &values)?;
        }
        _ => {
            let values = after::orders::Update { nick: nick.into(), ..Default::default() };
            after::orders::update(proof.on(client), id, &values)?;
        }
    }
    Ok(())
}
