export * from './aggregate'
export * from './meter'
