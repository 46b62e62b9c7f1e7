drop table billable_files, invoices, bills, billing_runs, billable_changes, months_to_bill;
drop function keep_finalized_invoice;
