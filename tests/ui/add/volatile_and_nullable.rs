//! A null could be a row that is not filled yet, or one that new code wrote.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null);";

    change add_luck {
        add users.luck: double precision default "random()";
        stage expand;
    }
}

fn main() {}
