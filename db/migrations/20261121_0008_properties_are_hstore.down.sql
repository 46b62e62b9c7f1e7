drop view claims;

alter table events alter properties type jsonb using hstore_to_jsonb(properties);
alter table event_claims alter properties type jsonb using hstore_to_jsonb(properties);
alter table staged_events alter properties type jsonb using hstore_to_jsonb(properties);

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

drop extension hstore;
