export * from './postgres/start-postgres'
export * from './s3/s3-credentials'
export * from './s3/start-s3-server'
export { INGEST_NODE_OPTIONS } from './supervisor/part-environment'
