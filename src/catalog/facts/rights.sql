-- What differs from the rights that an object has by default, so that a grant and its revoke leave no trace.
WITH object (name, kind, acl, owner) AS (
    SELECT format('schema %I', nspname), 'n'::"char", nspacl, nspowner
    FROM pg_namespace
    WHERE oid = ANY ($1)
    UNION ALL
    SELECT oid::regclass::text, CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, relacl, relowner
    FROM pg_class
    WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND relnamespace = ANY ($1)
    UNION ALL
    SELECT format('%s.%I', attrelid::regclass, attname), 'c'::"char", attacl, relowner
    FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid
    WHERE attacl IS NOT NULL AND NOT attisdropped AND relnamespace = ANY ($1)
    UNION ALL
    SELECT oid::regprocedure::text, 'f'::"char", proacl, proowner
    FROM pg_proc
    WHERE pronamespace = ANY ($1)
    UNION ALL
    SELECT format('type %s', oid::regtype), 'T'::"char", typacl, typowner
    FROM pg_type
    WHERE typacl IS NOT NULL AND typnamespace = ANY ($1)
),
actual AS (
    SELECT name, granted.* FROM object, aclexplode(coalesce(acl, acldefault(kind, owner))) AS granted
),
initial AS (
    SELECT name, granted.* FROM object, aclexplode(acldefault(kind, owner)) AS granted
),
difference AS (
    SELECT 'granted' AS what, added.* FROM (SELECT * FROM actual EXCEPT SELECT * FROM initial) AS added
    UNION ALL
    SELECT 'revoked' AS what, removed.* FROM (SELECT * FROM initial EXCEPT SELECT * FROM actual) AS removed
)
SELECT
    format('rights on %s %s %s', name, what, CASE WHEN grantee = 0 THEN 'public' ELSE grantee::regrole::text END),
    string_agg(
        concat(
            lower(privilege_type),
            CASE WHEN is_grantable THEN ' with grant option' END,
            format(' by %s', grantor::regrole)
        ),
        ', ' ORDER BY privilege_type, grantor::regrole::text
    )
FROM difference
GROUP BY name, what, grantee
