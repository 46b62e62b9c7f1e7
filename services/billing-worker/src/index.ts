export * from './create-billing-worker'
