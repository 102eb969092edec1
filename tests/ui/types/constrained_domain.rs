//! A column of a constrained domain would rewrite the table.

coexist::migrations! {
    schema sql "
        create domain email as text check (value like '%@%');
        create table users (id bigint primary key, contact text not null);
    ";

    change check_contacts {
        retype users.contact to mail: email {
            forward "contact::email" or reject,
            backward "mail::text",
        }
        stage expand;
    }
}

fn main() {}
