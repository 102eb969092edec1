//! Triggers that name the column.

coexist::migrations! {
    schema sql "
        create table users (id bigint primary key, name text not null, bio text);
        create function touch() returns trigger language plpgsql as 'begin return new; end';
        create trigger on_rename before update of name on users for each row execute function touch();
        create trigger if_named before update on users for each row when (new.name <> '') execute function touch();
    ";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
