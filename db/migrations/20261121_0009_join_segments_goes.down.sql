-- The same for whoever begins with it: holds organizations to their open segments, and answers these and the sealed ones.
create function join_segments(organizations uuid[])
returns table (organization_id uuid, segment_no smallint, is_open boolean) language plpgsql as $$
declare
  organization uuid;
begin
  foreach organization in array organizations loop
    perform pg_advisory_xact_lock_shared(84205, hashtext(organization::text));
  end loop;
  return query
    select s.organization_id, s.segment_no, s.is_open from event_segments s
    where s.organization_id = any (organizations) order by 1, 2;
end $$;
