//! Only among integers is every value of the old type one of the new type as well.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, code text, level smallint);";

    change widen_code {
        widen users.code to bigint;
        stage expand;
    }

    change widen_level {
        widen users.level to numeric;
        stage expand;
    }
}

fn main() {}
