drop view usage;
drop table usage_changes, counted_usage, preview_effects, staged_events, event_claims, events, upload_rejects, uploads;
