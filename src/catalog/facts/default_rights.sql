select
    format(
        'default rights of %s on %s%s for %s',
        defaclrole::regrole,
        case defaclobjtype
            when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types'
            when 'n' then 'schemas' else format('objects of kind %s', defaclobjtype)
        end,
        format(' in %s', nullif(defaclnamespace, 0)::regnamespace),
        case when grantee = 0 then 'public' else grantee::regrole::text end
    ),
    string_agg(
        concat(lower(privilege_type), case when is_grantable then ' with grant option' end),
        ', ' order by privilege_type
    )
from pg_default_acl, aclexplode(defaclacl)
where defaclnamespace = 0 or defaclnamespace = any ($1)
group by defaclrole, defaclobjtype, defaclnamespace, grantee
