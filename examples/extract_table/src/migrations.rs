coexist::migrations! {
    schema "schema.sql";

    /// A country is written in each address, and in more than one way.
    change extract_countries {
        extract countries from addresses (country as name, country_code as code) { key id: bigint, reference country_id }
        stage contract;
    }
}
