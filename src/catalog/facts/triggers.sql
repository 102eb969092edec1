SELECT
    format('trigger %I on %s', tgname, tgrelid::regclass),
    concat_ws(
        ', ',
        pg_get_triggerdef(pg_trigger.oid),
        CASE tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled on replicas' WHEN 'A' THEN 'enabled always' END,
        CASE WHEN tgparentid <> 0 THEN 'not local' END
    )
FROM pg_trigger
JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND relnamespace = ANY ($1)
UNION ALL
-- Those that enforce constraints have names with object identifiers in them. DISABLE TRIGGER ALL reaches them.
SELECT
    format('trigger of constraint %I on %s calling %s', conname, tgrelid::regclass, tgfoid::regproc),
    CASE tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled on replicas' WHEN 'A' THEN 'enabled always' END
FROM pg_trigger
JOIN pg_class ON pg_class.oid = tgrelid
JOIN pg_constraint ON pg_constraint.oid = tgconstraint
WHERE tgisinternal AND tgenabled <> 'O' AND relnamespace = ANY ($1)
