//! At stage `contract` the before shape is gone, and says what to use instead.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null);";

    change contracted_name {
        rename users.name to full_name;
        stage contract;
    }
}

fn read(db: &mut coexist::postgres::Client) {
    let _ = contracted_name::before::users::find(db, 1);
}

fn main() {}
