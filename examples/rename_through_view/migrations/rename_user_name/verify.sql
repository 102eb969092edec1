-- coexist: change rename_user_name
-- Invoices address people by their full name.
--
-- Compares the two shapes, row by row, and fails where any row differs. Reads each table once, in one snapshot; writes nothing.
-- Takes no lock that anybody notices.
--
-- Made by `cargo build` from the declaration; edits are overwritten. Run with psql, or let `coexist up` do it.

\set ON_ERROR_STOP on
set client_min_messages = warning;
set search_path = "pg_catalog", "public", "pg_temp";
set lock_timeout = '500ms';
