coexist::migrations! {
    schema "schema.sql";

    /// Profiles are read rarely and are large.
    change split_user_profile {
        split users into profiles { key user_id, move bio, avatar_url }
        stage expand;
    }
}
