//! An index on one of several columns says nothing about what they become together.

coexist::migrations! {
    schema sql "create table places (id bigint primary key, lat integer not null, lon integer not null); create index places_lat on places (lat);";

    change spot {
        combine places.(lat, lon) into spot: text not null {
            forward "lat || ' ' || lon" or reject,
            backward lat "split_part(spot, ' ', 1)::integer" or reject,
            backward lon "split_part(spot, ' ', 2)::integer" or reject,
        }
        stage expand;
    }
}

fn main() {}
