-- Without the last value, which is data.
select
    format('sequence %s', seqrelid::regclass),
    concat_ws(
        ', ',
        format('owner %s', relowner::regrole),
        case relpersistence when 'u' then 'unlogged' when 't' then 'temporary' end,
        format(
            '%s start %s increment %s from %s to %s cache %s',
            seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache
        ),
        case when seqcycle then 'cycle' end,
        (
            select format(
                '%s %s.%I', case deptype when 'a' then 'owned by' else 'identity of' end, attrelid::regclass, attname
            )
            from pg_depend
            join pg_attribute on attrelid = refobjid and attnum = refobjsubid
            where classid = 'pg_class'::regclass and objid = seqrelid
                and refclassid = 'pg_class'::regclass and deptype in ('a', 'i')
        )
    )
from pg_sequence
join pg_class on pg_class.oid = seqrelid
where relnamespace = any ($1)
