-- Who uses Billtrail, and the keys that let them in.
create table organizations (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  slug text not null unique check (slug ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
  currency text not null default 'USD' check (currency ~ '^[A-Z]{3}$'),
  timezone text not null default 'UTC',
  billable_group_by text not null default 'customer' check (billable_group_by in ('customer', 'name')),
  billable_period text not null default 'month' check (billable_period in ('month', 'all')),
  -- null: BILLING_GRACE_HOURS of the worker
  grace_hours numeric check (grace_hours >= 0),
  next_invoice_number bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table api_keys (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations,
  name text not null,
  role text not null check (role in ('admin')),
  key_hash bytea not null unique check (octet_length(key_hash) = 32),
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);

-- Every change of money or access: who, what, when, before, after.
create table audit_log (
  audit_no bigint generated always as identity primary key,
  organization_id uuid not null,
  at timestamptz not null default now(),
  actor text not null,
  action text not null,
  object_type text not null,
  object_id text not null,
  before jsonb,
  after jsonb
);
create index audit_log_by_object on audit_log (organization_id, object_type, object_id);
