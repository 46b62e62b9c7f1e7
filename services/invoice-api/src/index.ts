export * from './create-invoice-api'
