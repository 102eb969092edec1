-- Enums, domains, ranges and base types. Composite types are relations; array and multirange types follow theirs.
select
    format('type %s', pg_type.oid::regtype),
    concat_ws(
        ', ',
        format('owner %s', typowner::regrole),
        case typtype
            when 'e' then 'enum ' || (
                select string_agg(quote_literal(enumlabel), ' ' order by enumsortorder)
                from pg_enum
                where enumtypid = pg_type.oid
            )
            when 'd' then concat_ws(
                ' ',
                'domain',
                format_type(typbasetype, typtypmod),
                'collate ' || nullif(
                    typcollation, (select typcollation from pg_type as base where base.oid = pg_type.typbasetype)
                )::regcollation,
                -- From 17 on NOT NULL is a constraint with a name of its own.
                case when typnotnull and not exists (
                    select from pg_constraint where contypid = pg_type.oid and contype = 'n'
                ) then 'not null' end,
                'default ' || pg_get_expr(typdefaultbin, 0)
            )
            when 'r' then (
                select concat_ws(
                    ' ',
                    'range of',
                    rngsubtype::regtype,
                    'collate ' || nullif(rngcollation, 0)::regcollation,
                    (select opcname from pg_opclass where oid = rngsubopc),
                    nullif(rngcanonical, 0)::regproc,
                    nullif(rngsubdiff, 0)::regproc
                )
                from pg_range
                where rngtypid = pg_type.oid
            )
            else format('base type with %s and %s', typinput, typoutput)
        end
    )
from pg_type
where typtype in ('b', 'd', 'e', 'r') and typnamespace = any ($1)
    and not exists (select from pg_type as element where element.typarray = pg_type.oid)
