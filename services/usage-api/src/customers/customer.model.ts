import {
  type CreationOptional,
  DataTypes,
  type InferAttributes,
  type InferCreationAttributes,
  Model,
  type ModelStatic,
  type Sequelize,
} from 'sequelize'

/** A party that an organization bills. Null currency or time zone: the organization's. */
export class Customer extends Model<InferAttributes<Customer>, InferCreationAttributes<Customer>> {
  declare customerNo: CreationOptional<number>
  declare organizationId: string
  /** The organization's own id of the customer. */
  declare id: string
  declare name: CreationOptional<string | null>
  declare email: CreationOptional<string | null>
  declare currency: CreationOptional<string | null>
  declare timezone: CreationOptional<string | null>
  /** Null while the customer is known from usage only. */
  declare registeredAt: CreationOptional<Date | null>
  declare updatedAt: CreationOptional<Date | null>
}

export type Customers = ModelStatic<Customer>

/** The customers of one database; the table is made by the migrations, never by Sequelize. */
export function customersIn(sequelize: Sequelize): Customers {
  class StoredCustomer extends Customer {}
  StoredCustomer.init(
    {
      customerNo: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      organizationId: { type: DataTypes.UUID, allowNull: false },
      id: { type: DataTypes.TEXT, allowNull: false },
      name: DataTypes.TEXT,
      email: DataTypes.TEXT,
      currency: DataTypes.TEXT,
      timezone: DataTypes.TEXT,
      registeredAt: DataTypes.DATE,
      updatedAt: DataTypes.DATE,
    },
    {
      sequelize,
      modelName: 'Customer',
      tableName: 'customers',
      underscored: true,
      timestamps: false,
    },
  )
  return StoredCustomer
}
