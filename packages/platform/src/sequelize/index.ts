export * from './create-sequelize'
export * from './sequelize-sql'
