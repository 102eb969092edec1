select
    format('event trigger %I', evtname),
    concat_ws(
        ', ',
        format('owner %s', evtowner::regrole),
        format('on %s', evtevent),
        'when tag in ' || evttags::text,
        format('calling %s', evtfoid::regproc),
        case evtenabled when 'D' then 'disabled' when 'R' then 'enabled on replicas' when 'A' then 'enabled always' end
    )
from pg_event_trigger
