-- What differs from the rights that an object has by default, so that a grant and its revoke leave no trace.
with object (name, kind, acl, owner) as (
    select format('schema %I', nspname), 'n'::"char", nspacl, nspowner
    from pg_namespace
    where oid = any ($1)
    union all
    select oid::regclass::text, case relkind when 'S' then 's'::"char" else 'r'::"char" end, relacl, relowner
    from pg_class
    where relkind in ('r', 'p', 'f', 'v', 'm', 'S') and relnamespace = any ($1)
    union all
    select format('%s.%I', attrelid::regclass, attname), 'c'::"char", attacl, relowner
    from pg_attribute
    join pg_class on pg_class.oid = attrelid
    where attacl is not null and not attisdropped and relnamespace = any ($1)
    union all
    select oid::regprocedure::text, 'f'::"char", proacl, proowner
    from pg_proc
    where pronamespace = any ($1)
    union all
    select format('type %s', oid::regtype), 'T'::"char", typacl, typowner
    from pg_type
    where typacl is not null and typnamespace = any ($1)
),
actual as (
    select name, granted.* from object, aclexplode(coalesce(acl, acldefault(kind, owner))) as granted
),
initial as (
    select name, granted.* from object, aclexplode(acldefault(kind, owner)) as granted
),
difference as (
    select 'granted' as what, added.* from (select * from actual except select * from initial) as added
    union all
    select 'revoked' as what, removed.* from (select * from initial except select * from actual) as removed
)
select
    format('rights on %s %s %s', name, what, case when grantee = 0 then 'public' else grantee::regrole::text end),
    string_agg(
        concat(
            lower(privilege_type),
            case when is_grantable then ' with grant option' end,
            format(' by %s', grantor::regrole)
        ),
        ', ' order by privilege_type, grantor::regrole::text
    )
from difference
group by name, what, grantee
