-- Months taken from usage_changes and not billed yet. A cycle moves the queue here in one step and removes each month in
-- the transaction that bills it, so a worker that dies in between loses none.
create table months_to_bill (
  customer_no int not null,
  period text collate "C" not null,
  organization_id uuid not null,
  primary key (customer_no, period)
);

-- Months whose billable file may be out of date: set with the bills, removed once the file is in S3.
create table billable_changes (
  organization_id uuid not null references organizations,
  period text collate "C" not null,
  changed_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, period)
);

create table billing_runs (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations,
  trigger text not null check (trigger in ('cycle', 'request')),
  -- null: a cycle, which bills every month that changed
  period text collate "C",
  finalize boolean not null default false,
  state text not null check (state in ('queued', 'running', 'completed', 'failed')),
  customers_total int not null default 0,
  customers_billed int not null default 0,
  invoices_finalized int not null default 0,
  checks jsonb,
  failure_code text,
  failure_message text,
  requested_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz
);
create index billing_runs_by_organization on billing_runs (organization_id, requested_at desc, id);
-- The same request made again while it waits or runs is the same run.
create unique index billing_runs_one_request on billing_runs (organization_id, period, finalize)
  where trigger = 'request' and state in ('queued', 'running');
create index billing_runs_waiting on billing_runs (requested_at) where state in ('queued', 'running');

-- The rated result for one customer, month and currency, with its arithmetic. Replaced when usage changes.
create table bills (
  customer_no int not null,
  period text collate "C" not null,
  currency text not null,
  organization_id uuid not null,
  plan_version_id uuid not null,
  quantity numeric not null,
  events bigint not null,
  -- null: just the plan version; else with a customer's own prices, or the parts of a month that was split
  plan jsonb,
  lines jsonb not null,
  -- on the sum of the lines; those that are not inclusive are in the total
  taxes jsonb not null default '[]',
  total numeric not null,
  engine_version text not null,
  billing_run_id uuid not null,
  billed_at timestamptz not null,
  primary key (customer_no, period, currency)
);
create index bills_by_period on bills (organization_id, period);

-- The document. While it is a draft its lines are the bill's; finalizing copies them, and from then on
-- they never change.
create table invoices (
  customer_no int not null,
  id uuid not null default gen_random_uuid(),
  organization_id uuid not null,
  period text collate "C" not null,
  currency text not null,
  status text not null check (status in ('draft', 'finalized', 'paid', 'void')),
  number text,
  period_start timestamptz not null,
  period_end timestamptz not null check (period_end > period_start),
  -- id and name as they were when it was finalized
  customer jsonb,
  plan jsonb,
  quantity numeric,
  lines jsonb,
  taxes jsonb,
  total numeric,
  as_of timestamptz,
  created_at timestamptz not null default now(),
  finalized_at timestamptz,
  paid_at timestamptz,
  voided_at timestamptz,
  primary key (customer_no, id),
  check ((status = 'draft') = (number is null)),
  check (status = 'draft' or (lines is not null and total is not null and as_of is not null))
);
create unique index invoices_one_per_month on invoices (customer_no, period, currency) where status <> 'void';
create index invoices_by_id on invoices (id);
create index invoices_by_organization on invoices (organization_id, period desc, id);
create index invoices_in_draft on invoices (organization_id, period_end) where status = 'draft';

create function keep_finalized_invoice() returns trigger language plpgsql as $$
begin
  if old.status = 'draft' then
    return case when tg_op = 'DELETE' then old else new end;
  end if;
  if tg_op = 'DELETE' then
    raise exception 'invoice % is %: it is never deleted', old.id, old.status
      using errcode = 'integrity_constraint_violation';
  end if;
  if to_jsonb(new) - '{status,paid_at,voided_at}'::text[]
    is distinct from to_jsonb(old) - '{status,paid_at,voided_at}'::text[]
    or new.status = 'draft'
  then
    raise exception 'invoice % is %: it never changes', old.id, old.status
      using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger keep_finalized_invoice before update or delete on invoices
  for each row execute function keep_finalized_invoice();

-- What was written where. One row for each content of a key; the key's newest row is what lies in S3.
create table billable_files (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations,
  billing_run_id uuid not null references billing_runs,
  bucket text not null,
  key text not null,
  period text collate "C",
  sha256 bytea not null check (octet_length(sha256) = 32),
  bytes bigint not null,
  rows int not null,
  totals jsonb not null,
  created_at timestamptz not null default now()
);
create index billable_files_by_key on billable_files (organization_id, key, created_at desc);
