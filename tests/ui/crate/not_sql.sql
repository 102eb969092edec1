CREATE TABLE users (
    id bigint PRIMARY KEY,
    name text NOT NULL
);
CRATE INDEX users_name ON users (name);
