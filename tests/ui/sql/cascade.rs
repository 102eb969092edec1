//! What goes is named (H67).

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text); create view names as select name from users;";

    change drop_name {
        sql { contract "alter table users drop column name cascade" locks users access exclusive }
        stage expand;
    }
}

fn main() {}
