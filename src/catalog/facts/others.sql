-- Kinds that no change comes near: that they are there is all that is told.
SELECT object.type || ' ' || object.identity, ''
FROM (
    SELECT tableoid, oid FROM pg_am
    UNION ALL SELECT tableoid, oid FROM pg_cast
    UNION ALL SELECT tableoid, oid FROM pg_collation
    UNION ALL SELECT tableoid, oid FROM pg_conversion
    UNION ALL SELECT tableoid, oid FROM pg_foreign_data_wrapper
    UNION ALL SELECT tableoid, oid FROM pg_foreign_server
    UNION ALL SELECT tableoid, oid FROM pg_language
    UNION ALL SELECT tableoid, oid FROM pg_opclass
    UNION ALL SELECT tableoid, oid FROM pg_operator
    UNION ALL SELECT tableoid, oid FROM pg_opfamily
    UNION ALL SELECT tableoid, oid FROM pg_transform
    UNION ALL SELECT tableoid, oid FROM pg_ts_config
    UNION ALL SELECT tableoid, oid FROM pg_ts_dict
    UNION ALL SELECT tableoid, oid FROM pg_ts_parser
    UNION ALL SELECT tableoid, oid FROM pg_ts_template
) AS other
CROSS JOIN pg_identify_object(tableoid, oid, 0) AS object
-- Below that number is what initdb made.
WHERE oid >= 16384
    -- The server makes a cast for each range type.
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = other.tableoid AND objid = oid AND deptype = 'i')
    AND coalesce(object.schema IN (SELECT nspname FROM pg_namespace WHERE oid = ANY ($1)), true)
