drop table subscriptions, customer_taxes, tax_rates;
alter table organizations drop column default_plan_id;
drop table plan_versions, plans, meters;
drop function keep_active_plan_version;
