import type { MeterJson } from '@billtrail/contracts'
import {
  type CreationOptional,
  DataTypes,
  type InferAttributes,
  type InferCreationAttributes,
  Model,
  type ModelStatic,
  type Sequelize,
} from 'sequelize'

/** How events become a quantity. Frozen, but for its name, once a plan version that was activated uses it. */
export class MeterRow extends Model<InferAttributes<MeterRow>, InferCreationAttributes<MeterRow>> {
  declare id: CreationOptional<string>
  declare organizationId: string
  declare code: string
  declare name: string
  declare eventType: string | null
  declare aggregation: MeterJson['aggregation']
  declare property: string | null
  declare filters: NonNullable<MeterJson['filters']>
  declare groupBy: string[]
  declare createdAt: CreationOptional<Date>
}

export type Meters = ModelStatic<MeterRow>

/** The meters of one database; the table is made by the migrations, never by Sequelize. */
export function metersIn(sequelize: Sequelize): Meters {
  class StoredMeter extends MeterRow {}
  StoredMeter.init(
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      organizationId: { type: DataTypes.UUID, allowNull: false },
      code: { type: DataTypes.TEXT, allowNull: false },
      name: { type: DataTypes.TEXT, allowNull: false },
      eventType: DataTypes.TEXT,
      aggregation: { type: DataTypes.TEXT, allowNull: false },
      property: DataTypes.TEXT,
      filters: { type: DataTypes.JSONB, allowNull: false },
      groupBy: { type: DataTypes.ARRAY(DataTypes.TEXT), allowNull: false },
      createdAt: DataTypes.DATE,
    },
    { sequelize, modelName: 'Meter', tableName: 'meters', underscored: true, timestamps: false },
  )
  return StoredMeter
}
