select format('publication %I of %s', pubname, prrelid::regclass), ''
from pg_publication_rel
join pg_publication on pg_publication.oid = prpubid
join pg_class on pg_class.oid = prrelid
where relnamespace = any ($1)
