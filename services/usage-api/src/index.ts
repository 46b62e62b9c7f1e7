export * from './create-usage-service'
