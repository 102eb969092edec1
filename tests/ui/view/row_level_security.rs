//! Before PostgreSQL 15 a view shows every row to everybody.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null); alter table users enable row level security;";

    change rename_user_name {
        rename users.name to full_name through view;
        stage expand;
    }
}

fn main() {}
