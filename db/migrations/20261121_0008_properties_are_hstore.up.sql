-- Properties are a flat map of texts, which is what the extension hstore is: without JSON to parse, a wide row costs PostgreSQL
-- a sixth less (docs/decisions/0011). It is in PostgreSQL's contrib and trusted: who may create in the database may create it.
create extension if not exists hstore schema public;
do $$
begin
  if not exists (select from pg_extension where extname = 'hstore' and extnamespace = 'public'::regnamespace) then
    raise exception 'The extension hstore is in another schema than public, where services look for it.'
      using hint = 'alter extension hstore set schema public';
  end if;
end $$;

drop view claims;

create function properties_of(given jsonb) returns hstore language sql immutable strict as $$
  select coalesce(hstore(array_agg(key), array_agg(value)), '') from jsonb_each_text(given)
$$;

-- Every segment with it. A table is written anew.
alter table events alter properties type hstore using properties_of(properties);
alter table event_claims alter properties type hstore using properties_of(properties);
alter table staged_events alter properties type hstore using properties_of(properties);

drop function properties_of;

create view claims as
  select customer_no, event_type_no, event_date, event_key, upload_no, line, quantity, unit_price, event_id,
         properties, outcome, claimed_at
  from event_claims
  union all
  select d.customer_no, null, null, claimed.event_key, d.upload_no, claimed.line, null, null, null, null,
         'duplicate', d.claimed_at
  from duplicate_claims d
  cross join lateral unnest(d.event_keys, d.lines) as claimed (event_key, line);
grant select on claims to billtrail_ingest;
