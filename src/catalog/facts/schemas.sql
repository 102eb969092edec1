select format('schema %I', nspname), format('owner %s', nspowner::regrole)
from pg_namespace
where oid = any ($1)
