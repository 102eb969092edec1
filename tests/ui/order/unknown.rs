//! A change cannot build on one that is not declared.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change contracted_bio {
        rename users.bio to biography;
        stage contract;
    }
    change shorten_user_bio {
        rename users.biography to about;
        after contracted_boi;
        stage expand;
    }
}

fn main() {}
