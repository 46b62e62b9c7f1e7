export * from './create-cable'
export * from './spawn-from-source'
export * from './use-test-bucket'
export * from './use-test-database'
