SELECT
    format(
        'default rights of %s on %s%s for %s',
        defaclrole::regrole,
        CASE defaclobjtype
            WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types'
            WHEN 'n' THEN 'schemas' ELSE format('objects of kind %s', defaclobjtype)
        END,
        format(' in %s', nullif(defaclnamespace, 0)::regnamespace),
        CASE WHEN grantee = 0 THEN 'public' ELSE grantee::regrole::text END
    ),
    string_agg(
        concat(lower(privilege_type), CASE WHEN is_grantable THEN ' with grant option' END),
        ', ' ORDER BY privilege_type
    )
FROM pg_default_acl, aclexplode(defaclacl)
WHERE defaclnamespace = 0 OR defaclnamespace = ANY ($1)
GROUP BY defaclrole, defaclobjtype, defaclnamespace, grantee
