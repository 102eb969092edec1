SELECT
    CASE
        WHEN conname IS NULL THEN format('index %s on %s', indexrelid::regclass, indrelid::regclass)
        ELSE format('constraint %I on %s', conname, indrelid::regclass)
    END,
    concat_ws(
        ', ',
        pg_get_constraintdef(pg_constraint.oid),
        pg_get_indexdef(indexrelid),
        CASE WHEN NOT indisvalid THEN 'not valid' END,
        CASE WHEN NOT indisready THEN 'not ready' END,
        CASE WHEN NOT indislive THEN 'being dropped' END,
        CASE WHEN indisclustered THEN 'clustered' END,
        CASE WHEN indisreplident THEN 'replica identity' END,
        CASE WHEN pg_constraint.oid IS NOT NULL AND NOT conislocal THEN 'not local' END,
        'partition of ' || (SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = indexrelid),
        'tablespace ' || (SELECT spcname FROM pg_tablespace WHERE oid = reltablespace),
        (
            SELECT string_agg(format('statistics of column %s %s', attnum, attstattarget), ', ' ORDER BY attnum)
            FROM pg_attribute
            WHERE attrelid = indexrelid AND attstattarget >= 0
        )
    )
FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid
-- A foreign key names the index of the other table that it uses.
LEFT JOIN pg_constraint ON conindid = indexrelid AND contype IN ('p', 'u', 'x')
WHERE relnamespace = ANY ($1)
