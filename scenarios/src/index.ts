export * from './make-organization'
export * from './run-story'
export * from './start-product'
export * from './story'
