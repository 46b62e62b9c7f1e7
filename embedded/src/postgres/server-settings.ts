import os from 'node:os'

/** What every embedded server is started with, whether it holds data to keep or a test's. */
const ALWAYS = {
  // Only this machine, and only by TCP: sockets are not visible across users in some sandboxes.
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // Four services with ten connections each, loads with several, and psql beside them.
  max_connections: '100',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_destination: 'stderr',
  logging_collector: 'off',
  // A log carries ids and counts, never rows: no statement texts, no DETAIL with the key's values.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  // The planner's default prices a random read as on a spinning disk.
  random_page_cost: '1.1',
  // The two cores of a small machine serve the queries, not a compiler for each of them.
  jit: 'off',
} as const

const MIB = 1024 ** 2

/**
 * An eighth of the machine's memory, from 128 MB to 2 GB. Every event inserts its key at a random place of one index:
 * beside 20 M events that index has 800 MB, and an upload takes twice as long when it does not stay in memory.
 */
function sharedBuffers(): string {
  const eighth = Math.floor(os.totalmem() / MIB / 8)
  return `${Math.min(Math.max(eighth, 128), 2048)}MB`
}

/** Settings for data that must survive everything. fsync and synchronous_commit stay on, as they come. */
export const DURABLE_SETTINGS: Readonly<Record<string, string>> = {
  ...ALWAYS,
  shared_buffers: sharedBuffers(),
  // A page is written whole to the log at its first change after a checkpoint. With 1 GB and 5 minutes, the
  // defaults, one large upload causes several checkpoints and writes the same index pages whole again and again.
  max_wal_size: '4GB',
  min_wal_size: '256MB',
  checkpoint_timeout: '15min',
  // Leaves the disk some air between two checkpoints, but for the last tenth.
  checkpoint_completion_target: '0.9',
  // After a kill, recovery begins by making sure that the disk has every file. One call for the whole file system
  // takes a fraction of a second, one for each of 1,500 files takes 2 to 3 s. Only Linux has that call.
  ...(process.platform === 'linux' ? { recovery_init_sync_method: 'syncfs' } : {}),
  // The log's own buffer; one 16 MB segment is the most that helps.
  wal_buffers: '16MB',
  // Not set: wal_compression. These programs are built without lz4 and zstd, and pglz costs a load more
  // processor time than the few whole pages it would save.
  // An index built after a load sorts in memory.
  maintenance_work_mem: '128MB',
  work_mem: '16MB',
  // A guess at the file cache of the system, which the planner cannot see.
  effective_cache_size: '1GB',
}

/** Settings for a server that is thrown away with its tests: nothing needs to survive a power cut. */
export const THROWAWAY_SETTINGS: Readonly<Record<string, string>> = {
  ...ALWAYS,
  shared_buffers: '128MB',
  max_connections: '200',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  // Copying a template is then a file copy, and a checkpoint at a bad moment does not slow a test.
  max_wal_size: '2GB',
  checkpoint_timeout: '30min',
}
