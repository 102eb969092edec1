coexist::migrations! {
    schema "../../schema.sql";

    type users.created_at = std::time::SystemTime;
    type orders.created_at = std::time::SystemTime;

    /// Invoices address people by their full name.
    change rename_user_name {
        rename users.name to full_name;
        stage contract;
    }

    /// Totals outgrew 2^31 cents.
    change widen_order_total {
        retype orders.total to total_cents: bigint {
            forward "total::bigint",
            backward "total_cents::integer" or reject,
        }
        stage contract;
    }

    /// Profiles are read rarely and are large.
    change split_user_profile {
        split users into profiles { key user_id, move bio, avatar_url }
        stage contract;
    }
}
