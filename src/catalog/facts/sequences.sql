-- Without the last value, which is data.
SELECT
    format('sequence %s', seqrelid::regclass),
    concat_ws(
        ', ',
        format('owner %s', relowner::regrole),
        CASE relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END,
        format(
            '%s start %s increment %s from %s to %s cache %s',
            seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache
        ),
        CASE WHEN seqcycle THEN 'cycle' END,
        (
            SELECT format(
                '%s %s.%I', CASE deptype WHEN 'a' THEN 'owned by' ELSE 'identity of' END, attrelid::regclass, attname
            )
            FROM pg_depend
            JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
            WHERE classid = 'pg_class'::regclass AND objid = seqrelid
                AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')
        )
    )
FROM pg_sequence
JOIN pg_class ON pg_class.oid = seqrelid
WHERE relnamespace = ANY ($1)
