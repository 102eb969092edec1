//! `combine` takes several columns of one table, in parentheses.

coexist::migrations! {
    schema sql "create table places (id bigint primary key, lat real not null, lon real not null);";

    change spot {
        combine places.lat into spot: text not null { forward "lat::text" or reject, irreversible }
        stage expand;
    }
}

fn main() {}
