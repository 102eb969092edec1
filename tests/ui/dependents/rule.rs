//! A rule rewrites the backfill's statements, too.

coexist::migrations! {
    schema sql "
        create table users (id bigint primary key, name text not null, bio text);
        create rule quiet as on delete to users do instead nothing;
    ";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
