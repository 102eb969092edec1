//! A name that PostgreSQL would cut.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change rename_user_name {
        rename users.name to full_name_of_the_user_as_it_is_written_on_invoices_and_on_letters;
        stage expand;
    }
}

fn main() {}
