drop table audit_log, api_keys, organizations;
