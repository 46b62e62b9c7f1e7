create table uploads (
  upload_no int generated always as identity primary key,
  id uuid not null unique default gen_random_uuid(),
  organization_id uuid not null references organizations,
  filename text not null,
  -- of the bytes as they were sent, before gzip was undone
  sha256 bytea check (octet_length(sha256) = 32),
  bytes bigint not null default 0,
  bytes_expected bigint,
  options jsonb not null default '{}',
  state text not null check (state in ('processing', 'previewed', 'committed', 'reverted', 'failed')),
  rows bigint not null default 0,
  accepted bigint not null default 0,
  duplicates bigint not null default 0,
  conflicts bigint not null default 0,
  rejected bigint not null default 0,
  failure_code text,
  failure_message text,
  created_by uuid not null,
  started_at timestamptz not null default now(),
  -- when every row was in staged_events: from then on the upload survives its process and is taken up again
  staged_at timestamptz,
  completed_at timestamptz,
  -- whether the usage of its events has been added to counted_usage; see the view usage
  usage_counted boolean not null default false,
  -- The first law, held by the database: an upload may not say that it is stored while a row is unaccounted for.
  constraint uploads_account_for_every_row check (
    state not in ('committed', 'previewed') or rows = accepted + duplicates + conflicts + rejected
  ),
  check ((state = 'failed') = (failure_code is not null))
);
create index uploads_by_organization on uploads (organization_id, upload_no desc);
create index uploads_in_progress on uploads (upload_no) where state = 'processing';
create index uploads_to_count on uploads (upload_no) where state = 'committed' and not usage_counted;

create table upload_rejects (
  upload_no int not null references uploads,
  line int not null,
  column_name text,
  reason text not null,
  message text not null,
  -- the row's bytes as they came: it may not be valid text
  row bytea not null,
  primary key (upload_no, line)
);

-- One usage fact. The key is (customer, event id); event_key is the id itself when that is a UUID, otherwise a
-- hash of it with the text kept in event_id (docs/decisions/0002). upload_no 0: sent over the API, where line
-- is the position in the request. Columns are in the order that wastes no padding.
create table events (
  customer_no int not null,
  event_type_no int not null,
  event_date timestamptz not null,
  event_key uuid not null,
  upload_no int not null,
  line int not null,
  quantity numeric not null default 1,
  unit_price numeric,
  event_id text collate "C",
  properties jsonb,
  primary key (customer_no, event_key)
);
-- An upload's rows lie together, so a few bytes for each range of pages replace a second b-tree.
create index events_by_upload on events using brin (upload_no) with (pages_per_range = 32, autosummarize = on);

-- Rows that came after another row with the same key: what they said, should the first be withdrawn. A duplicate says
-- what the stored event says, so it keeps no content of its own; a conflict keeps its own.
create table event_claims (
  customer_no int not null,
  event_type_no int,
  event_date timestamptz,
  event_key uuid not null,
  upload_no int not null,
  line int not null,
  quantity numeric,
  unit_price numeric,
  event_id text collate "C",
  properties jsonb,
  outcome text not null check (outcome in ('duplicate', 'conflict')),
  claimed_at timestamptz not null default now(),
  check (outcome = 'duplicate' or (event_type_no is not null and event_date is not null and quantity is not null))
);
create index event_claims_by_upload on event_claims using brin (upload_no) with (pages_per_range = 32, autosummarize = on);
create index event_claims_by_key on event_claims (customer_no, event_key);

-- The duplicates of a file are as many as its rows when it is sent again: up to 10,000 of a customer in one row here.
-- One that becomes a conflict moves to event_claims.
create table duplicate_claims (
  customer_no int not null,
  upload_no int not null,
  claimed_at timestamptz not null default now(),
  event_keys uuid[] not null,
  lines int[] not null,
  check (cardinality(event_keys) = cardinality(lines) and cardinality(lines) > 0)
);
-- Random keys do not compress.
alter table duplicate_claims alter event_keys set storage external, alter lines set storage external;
create index duplicate_claims_by_customer on duplicate_claims (customer_no);
create index duplicate_claims_by_upload on duplicate_claims using brin (upload_no) with (pages_per_range = 32, autosummarize = on);

-- Both, row by row.
create view claims as
  select customer_no, event_type_no, event_date, event_key, upload_no, line, quantity, unit_price, event_id,
         properties, outcome, claimed_at
  from event_claims
  union all
  select d.customer_no, null, null, claimed.event_key, d.upload_no, claimed.line, null, null, null, null,
         'duplicate', d.claimed_at
  from duplicate_claims d
  cross join lateral unnest(d.event_keys, d.lines) as claimed (event_key, line);

-- Rows of previews, and of uploads that are stored after their answer: durable, and without effect.
create table staged_events (
  customer_no int not null,
  event_type_no int not null,
  event_date timestamptz not null,
  event_key uuid not null,
  upload_no int not null,
  line int not null,
  quantity numeric not null,
  unit_price numeric,
  event_id text collate "C",
  properties jsonb
);
create index staged_events_by_upload on staged_events using brin (upload_no) with (pages_per_range = 32, autosummarize = on);

-- What a previewed upload would do to each customer's month.
create table preview_effects (
  customer_no int not null,
  upload_no int not null references uploads,
  period text collate "C" not null,
  currency text not null,
  quantity_before numeric not null,
  quantity_after numeric not null,
  amount_before numeric not null,
  amount_after numeric not null,
  -- a month split between plans of two currencies has an effect in each
  primary key (customer_no, upload_no, period, currency)
);
create index preview_effects_by_upload on preview_effects (upload_no, customer_no, period, currency);

-- Usage per customer, month and event type. Events of API calls are counted as they are stored; an upload's
-- right after it is committed, so that its sender need not wait (docs/decisions/0009).
create table counted_usage (
  customer_no int not null,
  period text collate "C" not null check (period like '____-__'),
  event_type_no int not null,
  -- whether these events carry their own unit price
  own_price boolean not null,
  quantity numeric not null,
  -- Σ quantity × unit_price of events with their own price, else 0
  amount numeric not null,
  events bigint not null check (events >= 0),
  last_received_at timestamptz not null,
  primary key (customer_no, period, event_type_no, own_price)
);

-- Events of uploads that wait to be counted, found by their upload: for whoever reads of a whole organization.
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

-- Usage as it is at this moment: what was counted, and the events of uploads that wait to be. Readers sum its rows. It is
-- for single customers, given as a value or by a lateral join: joined to many, the second half is read again for each.
create view usage as
  select customer_no, period, event_type_no, own_price, quantity, amount, events, last_received_at,
         false as is_pending
  from counted_usage
  union all
  select e.customer_no, to_char(e.event_date at time zone coalesce(c.timezone, o.timezone), 'YYYY-MM'),
         e.event_type_no, e.unit_price is not null, e.quantity, coalesce(e.quantity * e.unit_price, 0),
         1::bigint, u.completed_at, true
  from uploads u
  -- by the customer's key: the planner takes a new upload for small, and would go through all of it for each customer
  join events e on e.upload_no + 0 = u.upload_no
  join customers c on c.customer_no = e.customer_no
  join organizations o on o.id = c.organization_id
  where u.state = 'committed' and not u.usage_counted
    -- says nothing new, but first: without a pending upload no event is looked at
    and exists (select from uploads where state = 'committed' and not usage_counted);

-- The months whose bill is out of date: a queue that the billing worker empties. Duplicates do no harm.
create table usage_changes (
  customer_no int not null,
  period text collate "C" not null
);
