select
    format('trigger %I on %s', tgname, tgrelid::regclass),
    concat_ws(
        ', ',
        pg_get_triggerdef(pg_trigger.oid),
        case tgenabled when 'D' then 'disabled' when 'R' then 'enabled on replicas' when 'A' then 'enabled always' end,
        case when tgparentid <> 0 then 'not local' end
    )
from pg_trigger
join pg_class on pg_class.oid = tgrelid
where not tgisinternal and relnamespace = any ($1)
union all
-- Those that enforce constraints have names with object identifiers in them. DISABLE TRIGGER ALL reaches them.
select
    format('trigger of constraint %I on %s calling %s', conname, tgrelid::regclass, tgfoid::regproc),
    case tgenabled when 'D' then 'disabled' when 'R' then 'enabled on replicas' when 'A' then 'enabled always' end
from pg_trigger
join pg_class on pg_class.oid = tgrelid
join pg_constraint on pg_constraint.oid = tgconstraint
where tgisinternal and tgenabled <> 'O' and relnamespace = any ($1)
