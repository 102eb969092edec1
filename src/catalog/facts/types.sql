-- Enums, domains, ranges and base types. Composite types are relations; array and multirange types follow theirs.
SELECT
    format('type %s', pg_type.oid::regtype),
    concat_ws(
        ', ',
        format('owner %s', typowner::regrole),
        CASE typtype
            WHEN 'e' THEN 'enum ' || (
                SELECT string_agg(quote_literal(enumlabel), ' ' ORDER BY enumsortorder)
                FROM pg_enum
                WHERE enumtypid = pg_type.oid
            )
            WHEN 'd' THEN concat_ws(
                ' ',
                'domain',
                format_type(typbasetype, typtypmod),
                'collate ' || nullif(
                    typcollation, (SELECT typcollation FROM pg_type AS base WHERE base.oid = pg_type.typbasetype)
                )::regcollation,
                -- From 17 on NOT NULL is a constraint with a name of its own.
                CASE WHEN typnotnull AND NOT EXISTS (
                    SELECT FROM pg_constraint WHERE contypid = pg_type.oid AND contype = 'n'
                ) THEN 'not null' END,
                'default ' || pg_get_expr(typdefaultbin, 0)
            )
            WHEN 'r' THEN (
                SELECT concat_ws(
                    ' ',
                    'range of',
                    rngsubtype::regtype,
                    'collate ' || nullif(rngcollation, 0)::regcollation,
                    (SELECT opcname FROM pg_opclass WHERE oid = rngsubopc),
                    nullif(rngcanonical, 0)::regproc,
                    nullif(rngsubdiff, 0)::regproc
                )
                FROM pg_range
                WHERE rngtypid = pg_type.oid
            )
            ELSE format('base type with %s and %s', typinput, typoutput)
        END
    )
FROM pg_type
WHERE typtype IN ('b', 'd', 'e', 'r') AND typnamespace = ANY ($1)
    AND NOT EXISTS (SELECT FROM pg_type AS element WHERE element.typarray = pg_type.oid)
