coexist::migrations! {
    schema "schema.sql";

    /// Totals outgrew 2^31 cents.
    change widen_order_total {
        retype orders.total to total_cents: bigint {
            forward "total::bigint",
            backward "total_cents::integer" or reject,
        }
        stage contract;
    }
}
