-- Events in segments (docs/decisions/0013). New keys go to random places of an index; once that is large, each costs a page
-- read, and after a checkpoint a page written. So an organization that has filled a segment goes on in the next one: a
-- partition with a primary key of its own. What it left is sealed: no key of that organization is added to it any more.
drop view usage;
drop view pending_usage;

alter table events rename to events_1;
alter table events_1 rename constraint events_pkey to events_1_pkey;
alter index events_by_upload rename to events_1_by_upload;
-- Two bytes: they fit into what the row's alignment leaves free.
alter table events_1 add column segment_no smallint not null default 1;
alter table events_1 add constraint events_1_segment check (segment_no = 1);

create table events (like events_1 including defaults) partition by list (segment_no);
alter table events alter segment_no drop default;
alter table events attach partition events_1 for values in (1);
alter table events_1 drop constraint events_1_segment;

-- Where an organization stores now (open), and where it did before.
create table event_segments (
  organization_id uuid not null references organizations,
  segment_no smallint not null check (segment_no > 0),
  is_open boolean not null default true,
  -- of a sealed one, when it has been made: which keys it may hold (services/ingest-api/src/segments/key-filter.ts)
  key_filter bytea,
  primary key (organization_id, segment_no),
  check (key_filter is null or not is_open)
);
create unique index event_segments_open on event_segments (organization_id) where is_open;
-- Random bits do not compress.
alter table event_segments alter key_filter set storage external;
insert into event_segments (organization_id, segment_no) select id, 1 from organizations;

-- Every organization has an open segment from its first moment on.
create function open_first_segment() returns trigger language plpgsql as $$
begin
  insert into event_segments (organization_id, segment_no)
  values (new.id, coalesce((select max(segment_no) from event_segments), 1));
  return new;
end $$;
create trigger open_first_segment after insert on organizations
  for each row execute function open_first_segment();

-- What the primary key of a segment takes on disk.
create function segment_key_bytes(segment int) returns bigint language sql stable as $$
  select pg_relation_size(indexrelid) from pg_index
  where indrelid = to_regclass('events_' || segment) and indisprimary
$$;

-- Holds an organization to its open segment until the transaction ends. `seen` is that segment as the calling statement
-- knows it; one that began before the organization went on elsewhere is refused with 55P03 (try again): it would look for
-- its keys in the segments as they were then.
create function hold_segment(organization uuid, seen int) returns int language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(84205, hashtext(organization::text));
  if not exists (
    select from event_segments where organization_id = organization and segment_no = seen and is_open
  ) then
    raise exception 'The organization has gone on to another segment.' using errcode = 'lock_not_available';
  end if;
  return seen;
end $$;

-- The same for whoever begins with it: holds organizations to their open segments, and answers these and the sealed ones.
create function join_segments(organizations uuid[])
returns table (organization_id uuid, segment_no smallint, is_open boolean) language plpgsql as $$
declare
  organization uuid;
begin
  foreach organization in array organizations loop
    perform pg_advisory_xact_lock_shared(84205, hashtext(organization::text));
  end loop;
  return query
    select s.organization_id, s.segment_no, s.is_open from event_segments s
    where s.organization_id = any (organizations) order by 1, 2;
end $$;

-- Seals the open segment of an organization when its key takes `key_bytes_max` or more, and opens the next; answers the
-- sealed one, null when there was room. The caller holds the storing lock; from here to the end of its transaction nobody
-- else stores for this organization.
create function leave_full_segment(organization uuid, key_bytes_max bigint) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  full_no int;
  next_no int;
begin
  select segment_no into strict full_no from event_segments where organization_id = organization and is_open;
  if segment_key_bytes(full_no) < key_bytes_max then
    return null;
  end if;
  perform pg_advisory_xact_lock(84205, hashtext(organization::text));
  perform pg_advisory_xact_lock(84206);
  select max(segment_no) into next_no from event_segments;
  if next_no = full_no or segment_key_bytes(next_no) >= key_bytes_max then
    next_no := next_no + 1;
    execute format('create table events_%s (like events_1 including all)', next_no);
    execute format('alter table events_%1$s alter segment_no set default %1$s,
                      add constraint events_%1$s_segment check (segment_no = %1$s)', next_no);
    execute format('alter table events attach partition events_%1$s for values in (%1$s)', next_no);
    execute format('alter table events_%1$s drop constraint events_%1$s_segment', next_no);
    -- COPY goes straight to it
    execute format('grant select, insert on events_%s to billtrail_ingest', next_no);
  end if;
  update event_segments set is_open = false where organization_id = organization and is_open;
  insert into event_segments (organization_id, segment_no) values (organization, next_no);
  return full_no;
end $$;
revoke all on function leave_full_segment from public;

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

grant select on events, usage, pending_usage, event_segments
  to billtrail_ingest, billtrail_usage, billtrail_billing, billtrail_invoice;
grant insert, update, delete on events to billtrail_ingest;
grant insert on events to billtrail_usage;
revoke all on events_1 from billtrail_ingest, billtrail_usage, billtrail_billing, billtrail_invoice;
grant select, insert on events_1 to billtrail_ingest;
grant update (key_filter) on event_segments to billtrail_ingest;
grant execute on function leave_full_segment to billtrail_ingest;
