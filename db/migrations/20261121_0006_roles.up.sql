-- One role for each service, with only the grants it needs. A service logs in with DATABASE_URL and takes its
-- role as the connection opens. Roles belong to the whole cluster, so another database may have made them.
do $$
declare
  name text;
begin
  foreach name in array array['billtrail_ingest', 'billtrail_usage', 'billtrail_billing', 'billtrail_invoice'] loop
    begin
      execute format('create role %I nologin', name);
    exception
      when duplicate_object or unique_violation then null;
    end;
    -- Since PostgreSQL 16 whoever creates a role is a member of it, but may not take it without this.
    if not pg_has_role(current_user, name, 'set') then
      execute format('grant %I to current_user', name);
    end if;
  end loop;
end $$;

grant select on organizations, api_keys
  to billtrail_ingest, billtrail_usage, billtrail_billing, billtrail_invoice;
grant insert on audit_log
  to billtrail_ingest, billtrail_usage, billtrail_billing, billtrail_invoice;
grant select on customers, event_types, events, usage, pending_usage, counted_usage, meters, plans, plan_versions, subscriptions, uploads,
    tax_rates, customer_taxes
  to billtrail_ingest, billtrail_usage, billtrail_billing, billtrail_invoice;

-- ingest-api: files and events, and the usage they make
grant insert, update (name, updated_at) on customers to billtrail_ingest;
grant usage on sequence customers_customer_no_seq to billtrail_ingest;
grant insert on event_types to billtrail_ingest;
grant insert, update, delete on uploads, upload_rejects, events, event_claims, duplicate_claims, counted_usage
  to billtrail_ingest;
grant select, insert, delete on staged_events, preview_effects to billtrail_ingest;
grant select on upload_rejects, event_claims, duplicate_claims, claims, usage_changes, bills to billtrail_ingest;
grant insert on usage_changes to billtrail_ingest;

-- usage-api: customers, and single events of theirs
grant insert, update on customers to billtrail_usage;
grant insert on event_types, events, event_claims, usage_changes to billtrail_usage;
grant insert, update, delete on counted_usage to billtrail_usage;
grant select on event_claims, usage_changes to billtrail_usage;

-- billing-worker: bills, drafts and finalized invoices, files
grant select, delete on usage_changes to billtrail_billing;
grant insert on usage_changes to billtrail_billing;
grant select, insert, update, delete on months_to_bill, billable_changes to billtrail_billing;
grant select, insert, update, delete on bills, invoices, billing_runs, billable_files to billtrail_billing;
grant update (next_invoice_number) on organizations to billtrail_billing, billtrail_invoice;

-- invoice-api: what people edit, and the life of an invoice
grant select on bills, event_claims, billable_files, audit_log, usage_changes, months_to_bill to billtrail_invoice;
-- finalizing bills the month a last time; another time zone of the organization counts usage anew
grant insert, update, delete on bills, counted_usage to billtrail_invoice;
grant select, insert, update on billable_changes to billtrail_invoice;
grant select, insert, update on invoices, meters, plans, plan_versions, subscriptions to billtrail_invoice;
grant delete on invoices to billtrail_invoice;
grant delete on meters, plan_versions, subscriptions to billtrail_invoice;
grant insert, update on tax_rates, customer_taxes to billtrail_invoice;
grant delete on customer_taxes to billtrail_invoice;
grant update (name, slug, currency, timezone, billable_group_by, billable_period, grace_hours, default_plan_id, updated_at)
  on organizations to billtrail_invoice;
grant insert on usage_changes to billtrail_invoice;
