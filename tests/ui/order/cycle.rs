//! Changes that build on each other.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change contracted_name {
        rename users.name to full_name;
        after contracted_bio;
        stage contract;
    }
    change contracted_bio {
        rename users.bio to biography;
        after contracted_name;
        stage contract;
    }
}

fn main() {}
