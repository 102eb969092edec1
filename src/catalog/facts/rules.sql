select
    format('rule %I on %s', rulename, ev_class::regclass),
    concat_ws(
        ', ',
        pg_get_ruledef(pg_rewrite.oid),
        case ev_enabled when 'D' then 'disabled' when 'R' then 'enabled on replicas' when 'A' then 'enabled always' end
    )
from pg_rewrite
join pg_class on pg_class.oid = ev_class
where rulename <> '_RETURN' and relnamespace = any ($1)
