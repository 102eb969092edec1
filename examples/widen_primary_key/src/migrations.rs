coexist::migrations! {
    schema "schema.sql";

    /// There will be more than 2^31 users.
    change widen_user_id {
        widen users.id to bigint;
        stage contract;
    }
}
