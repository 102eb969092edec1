use super::Case;
use crate::testing::snapshot;

const SCHEMA: &str = "CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE COLLATION loose (provider = icu, locale = 'und', deterministic = false);
CREATE TABLE countries (id int PRIMARY KEY);
CREATE TABLE addresses (id serial PRIMARY KEY, country text NOT NULL, code text, day date, mood mood, price numeric, town text DEFAULT 'Rome',
    nick text UNIQUE, loose text COLLATE loose NOT NULL, country_id int REFERENCES countries, street text, lane text, CONSTRAINT apart CHECK (street <> lane));
CREATE INDEX index_of_two ON addresses (lane, street);
CREATE TABLE guarded (id int PRIMARY KEY, a text NOT NULL);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;";

fn mistakes(sources: &[&str]) -> String {
    Case::with(SCHEMA).mistakes(sources)
}

#[test]
fn grammar_of_an_extraction() {
    snapshot!(mistakes(&[
        "change x { extract lands (country) from addresses { key id: bigint, reference land_id } stage expand; }",
        "change x { extract lands from addresses { key id: bigint, reference land_id } stage expand; }",
        "change x { extract lands from addresses (country); stage expand; }",
        "change x { extract lands from addresses (addresses.country) { key id: bigint, reference land_id } stage expand; }",
        "change x { extract lands from addresses (country) { key id, reference land_id } stage expand; }",
        "change x { extract lands from addresses (country) { key id: bigint, refer land_id } stage expand; }",
    ]));
}

#[test]
fn keys_and_references_of_an_extraction() {
    snapshot!(mistakes(&[
        "change x { extract lands from addresses (country) { reference land_id } stage expand; }",
        "change x { extract lands from addresses (country) { key id: bigint } stage expand; }",
        "change x { extract lands from addresses (country) { key id: text, reference land_id } stage expand; }",
        "change x { extract lands from addresses (country) { key country: bigint, reference land_id } stage expand; }",
        "change x { extract lands from addresses (country) { key id: bigint, reference code } stage expand; }",
        "change x { extract countries from addresses (country) { key id: bigint, reference land_id } stage expand; }",
        "change x { extract lands from guarded (a) { key id: bigint, reference land_id } stage expand; }",
    ]));
}

#[test]
fn columns_of_an_extraction() {
    snapshot!(mistakes(&[
        "change x { extract lands from addresses () { key id: bigint, reference land_id } stage expand; }",
        "change x { extract lands from addresses (county) { key id: bigint, reference land_id } stage expand; }",
        "change x { extract lands from addresses (country, country as name) { key id: bigint, reference land_id } stage expand; }",
        "change x { extract lands from addresses (id) { key no: bigint, reference land_id } stage expand; }",
        "change x { extract prices from addresses (price) { key id: bigint, reference price_id } stage expand; }",
        "change x { extract lands from addresses (loose) { key id: bigint, reference land_id } stage expand; }",
        "change x { extract nicks from addresses (nick) { key id: bigint, reference nick_id } stage expand; }",
        "change x { extract lands from addresses (country_id) { key id: bigint, reference land_id } stage expand; }",
        "change x { extract lands from addresses (street) { key id: bigint, reference land_id } stage expand; }",
        "change x { extract days from addresses (code, day) { key id: bigint, reference day_id } stage expand; }",
        "change x { extract towns from addresses (town) { key id: bigint, reference town_id } stage expand; }",
    ]));
}
