drop view usage, pending_usage, claims;
drop table usage_changes, counted_usage, preview_effects, staged_events, event_claims, duplicate_claims, events, upload_rejects, uploads;
