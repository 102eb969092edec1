select format('extension %I', extname), format('version %s, schema %I', extversion, nspname)
from pg_extension
join pg_namespace on pg_namespace.oid = extnamespace
