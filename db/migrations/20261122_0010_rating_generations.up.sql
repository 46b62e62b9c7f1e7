-- Which plan prices a customer's month, and whether its totals are all that it takes, hangs on many tables that hardly ever
-- change. Their organization's number goes up with each change of them, in the change's own transaction: whoever remembers what
-- it read there has only to compare the number (docs/decisions/0012).
create table rating_generations (
  organization_id uuid primary key references organizations,
  generation bigint not null default 1
);
insert into rating_generations (organization_id) select id from organizations;
grant select on rating_generations to billtrail_ingest, billtrail_usage, billtrail_billing, billtrail_invoice;

create function start_rating_generation() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into rating_generations (organization_id) values (new.id);
  return null;
end $$;
create trigger start_rating_generation after insert on organizations
  for each row execute function start_rating_generation();

-- Once for each organization in a transaction: hundreds of versions of one row would take each other's time.
create function next_rating_generation() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  changed record := coalesce(new, old);
  organization uuid;
begin
  if tg_table_name in ('subscriptions', 'customer_taxes') then
    select c.organization_id into organization from customers c where c.customer_no = changed.customer_no;
  elsif tg_table_name = 'plan_versions' then
    select p.organization_id into organization from plans p where p.id = changed.plan_id;
  elsif tg_table_name = 'organizations' then
    organization := changed.id;
  else
    organization := changed.organization_id;
  end if;
  if current_setting('billtrail.rating_changed', true) is distinct from organization::text then
    update rating_generations set generation = generation + 1 where organization_id = organization;
    perform set_config('billtrail.rating_changed', organization::text, true);
  end if;
  return null;
end $$;

-- At the end of the transaction: the row is locked for no longer than the commit takes, and nothing is waited for after it.
create constraint trigger next_rating_generation after insert or update or delete on subscriptions
  deferrable initially deferred for each row execute function next_rating_generation();
create constraint trigger next_rating_generation after insert or update or delete on customer_taxes
  deferrable initially deferred for each row execute function next_rating_generation();
create constraint trigger next_rating_generation after insert or update or delete on tax_rates
  deferrable initially deferred for each row execute function next_rating_generation();
create constraint trigger next_rating_generation after insert or update or delete on plan_versions
  deferrable initially deferred for each row execute function next_rating_generation();
create constraint trigger next_rating_generation after update of default_plan_id on organizations
  deferrable initially deferred for each row execute function next_rating_generation();
-- An upload whose usage begins or ends to wait to be counted. One that is not stored has none.
create constraint trigger next_rating_generation after update on uploads
  deferrable initially deferred for each row
  when ((old.state = 'committed' and not old.usage_counted) <> (new.state = 'committed' and not new.usage_counted))
  execute function next_rating_generation();
create constraint trigger next_rating_generation_at_once after insert on uploads
  deferrable initially deferred for each row
  when (new.state = 'committed' and not new.usage_counted) execute function next_rating_generation();
