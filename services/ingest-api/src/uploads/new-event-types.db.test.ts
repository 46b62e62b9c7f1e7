import { createLogger, createPool } from '@billtrail/platform'
import { useIngestApi } from '../testing/use-ingest-api'
import { usageCsv, usageRows } from '../testing/usage-csv'

/** Commits wait for the disk here, unless they say otherwise: those of tests usually do not. */
const through = async (url: string): Promise<string> => {
  const logger = createLogger({ service: 'test', level: 'silent' })
  const owner = createPool({ url, logger })
  await owner.query(`alter database ${new URL(url).pathname.slice(1)} set synchronous_commit = on`)
  await owner.query(`
    create table type_commits (waits text);
    create function note_commit() returns trigger language plpgsql security definer as $$
      begin insert into type_commits values (current_setting('synchronous_commit')); return null; end $$;
    create trigger noted after insert on event_types for each statement execute function note_commit()`)
  await owner.end()
  return url
}
const api = useIngestApi({ through })

test('an event type that a file names first is on disk before any call can use it', async () => {
  await api.client().upload(usageCsv(usageRows(3, 'first')))
  const { rows } = await api.owner().query('select distinct waits from type_commits')
  expect(rows).toEqual([{ waits: 'on' }])
})
