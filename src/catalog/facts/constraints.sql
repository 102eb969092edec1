-- Those without an index; with one they are facts about the index, and constraint triggers are triggers.
SELECT
    format('constraint %I on %s', conname, coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text)),
    concat_ws(
        ', ',
        pg_get_constraintdef(pg_constraint.oid),
        CASE WHEN conrelid <> 0 AND NOT conislocal THEN 'not local' END,
        'inherited ' || nullif(coninhcount, 0)
    )
FROM pg_constraint
WHERE contype NOT IN ('p', 'u', 'x', 't') AND connamespace = ANY ($1)
