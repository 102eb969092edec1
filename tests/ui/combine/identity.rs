//! A sequence passes to one column that takes the place of one.

coexist::migrations! {
    schema sql "create table places (id bigint generated always as identity primary key, city text not null);";

    change label {
        combine places.(id, city) into label: text not null { forward "id || city" or reject, irreversible }
        stage expand;
    }
}

fn main() {}
