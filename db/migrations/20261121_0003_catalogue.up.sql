-- How usage becomes money. Charges are JSON because people write them as JSON and one schema checks them.
create table meters (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations,
  code text collate "C" not null,
  name text not null,
  -- null: all event types
  event_type text,
  aggregation text not null
    check (aggregation in ('count', 'sum', 'max', 'unique_count', 'latest', 'weighted_sum')),
  property text,
  filters jsonb not null default '[]',
  group_by text[] not null default '{}',
  created_at timestamptz not null default now(),
  unique (organization_id, code)
);

create table plans (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations,
  code text collate "C" not null,
  name text not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  created_at timestamptz not null default now(),
  unique (organization_id, code)
);

-- draft → active → retired. An active version never changes: a bill names the version it used.
create table plan_versions (
  id uuid primary key default gen_random_uuid(),
  plan_id uuid not null references plans,
  version int not null check (version > 0),
  state text not null check (state in ('draft', 'active', 'retired')),
  charges jsonb not null,
  carry_tiers boolean not null default false,
  created_at timestamptz not null default now(),
  activated_at timestamptz,
  retired_at timestamptz,
  unique (plan_id, version)
);
create unique index plan_versions_active on plan_versions (plan_id) where state = 'active';

create function keep_active_plan_version() returns trigger language plpgsql as $$
begin
  if old.state <> 'draft'
    and (new.charges, new.carry_tiers, new.plan_id, new.version)
      is distinct from (old.charges, old.carry_tiers, old.plan_id, old.version)
  then
    raise exception 'plan version % is %: it never changes', old.id, old.state
      using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger keep_active_plan_version before update on plan_versions
  for each row execute function keep_active_plan_version();

alter table organizations add column default_plan_id uuid references plans;

-- Taxes on what is billed. What a rate says never changes: bills name it. is_default: for customers without rates
-- of their own.
create table tax_rates (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations,
  name text not null,
  percent numeric not null check (percent >= 0),
  inclusive boolean not null,
  is_default boolean not null default false,
  created_at timestamptz not null default now()
);
create index tax_rates_by_organization on tax_rates (organization_id, created_at, id);

-- Rates of a customer's own, in place of the organization's; none of them: exempt.
create table customer_taxes (
  customer_no int primary key,
  tax_rate_ids uuid[] not null
);

-- A customer on a plan version for the half-open span [start_at, end_at). No two overlap.
create table subscriptions (
  customer_no int not null,
  id uuid not null default gen_random_uuid(),
  plan_version_id uuid not null references plan_versions,
  start_at timestamptz not null,
  end_at timestamptz check (end_at > start_at),
  overrides jsonb not null default '[]',
  created_at timestamptz not null default now(),
  primary key (customer_no, id),
  constraint subscriptions_do_not_overlap exclude using gist (
    int4range(customer_no, customer_no, '[]') with &&,
    tstzrange(start_at, end_at) with &&
  )
);
