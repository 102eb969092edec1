SELECT
    format('rule %I on %s', rulename, ev_class::regclass),
    concat_ws(
        ', ',
        pg_get_ruledef(pg_rewrite.oid),
        CASE ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled on replicas' WHEN 'A' THEN 'enabled always' END
    )
FROM pg_rewrite
JOIN pg_class ON pg_class.oid = ev_class
WHERE rulename <> '_RETURN' AND relnamespace = ANY ($1)
