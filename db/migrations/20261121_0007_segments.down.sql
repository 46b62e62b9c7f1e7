-- All segments become one table again.
drop function leave_full_segment, join_segments, hold_segment, segment_key_bytes;
drop trigger open_first_segment on organizations;
drop function open_first_segment;
drop table event_segments;
drop view usage;
drop view pending_usage;

alter table events rename to segmented_events;
create table events (like events_1 including all);
alter index events_upload_no_idx rename to events_by_upload;
alter table events drop column segment_no;
insert into events (customer_no, event_type_no, event_date, event_key, upload_no, line, quantity, unit_price, event_id, properties)
  select customer_no, event_type_no, event_date, event_key, upload_no, line, quantity, unit_price, event_id, properties
  from segmented_events;
drop table segmented_events;

create view pending_usage as
  select u.organization_id, e.customer_no,
         to_char(e.event_date at time zone coalesce(c.timezone, o.timezone), 'YYYY-MM') as period,
         e.event_type_no, e.unit_price is not null as own_price, e.quantity,
         coalesce(e.quantity * e.unit_price, 0) as amount, u.completed_at as last_received_at
  from uploads u
  join events e on e.upload_no = u.upload_no
  join customers c on c.customer_no = e.customer_no
  join organizations o on o.id = c.organization_id
  where u.state = 'committed' and not u.usage_counted;

create view usage as
  select customer_no, period, event_type_no, own_price, quantity, amount, events, last_received_at,
         false as is_pending
  from counted_usage
  union all
  select e.customer_no, to_char(e.event_date at time zone coalesce(c.timezone, o.timezone), 'YYYY-MM'),
         e.event_type_no, e.unit_price is not null, e.quantity, coalesce(e.quantity * e.unit_price, 0),
         1::bigint, u.completed_at, true
  from uploads u
  join events e on e.upload_no + 0 = u.upload_no
  join customers c on c.customer_no = e.customer_no
  join organizations o on o.id = c.organization_id
  where u.state = 'committed' and not u.usage_counted
    and exists (select from uploads where state = 'committed' and not usage_counted);

grant select on events, usage, pending_usage
  to billtrail_ingest, billtrail_usage, billtrail_billing, billtrail_invoice;
grant insert, update, delete on events to billtrail_ingest;
grant insert on events to billtrail_usage;
