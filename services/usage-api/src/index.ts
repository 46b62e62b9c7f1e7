export * from './create-usage-service'
export * from './database/create-sequelize'
