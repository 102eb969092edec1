coexist::migrations! {
    schema "schema.sql";

    /// Invoices address people by their full name.
    change rename_user_name {
        rename users.name to full_name through view;
        stage contract;
    }
}
