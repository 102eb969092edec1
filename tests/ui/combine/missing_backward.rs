//! Every old column is made from the new one, or none is.

coexist::migrations! {
    schema sql "create table places (id bigint primary key, lat integer not null, lon integer not null);";

    change spot {
        combine places.(lat, lon) into spot: text not null {
            forward "lat || ' ' || lon" or reject,
            backward lat "split_part(spot, ' ', 1)::integer" or reject,
        }
        stage expand;
    }
}

fn main() {}
