//! Changes that do nothing.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change empty {
        stage expand;
    }
    change to_the_same_name {
        rename users.name to name;
        stage expand;
    }
    change to_the_same_type {
        retype users.bio to biography: text { forward "bio", backward "biography" }
        stage expand;
    }
    change of_no_column {
        split users into profiles { key user_id }
        stage expand;
    }
}

fn main() {}
