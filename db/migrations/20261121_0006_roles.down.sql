-- Only what the roles may do in this database; the roles themselves may serve others.
drop owned by billtrail_ingest, billtrail_usage, billtrail_billing, billtrail_invoice;
