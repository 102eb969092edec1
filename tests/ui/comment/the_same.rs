//! The comment that is there already.

coexist::migrations! {
    schema sql "create table users (id bigint); comment on table users is 'People';";

    change it {
        comment users: "People";
        stage expand;
    }
}

fn main() {}
