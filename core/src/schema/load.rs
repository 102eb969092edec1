//! Reads a schema from PostgreSQL's DDL.
