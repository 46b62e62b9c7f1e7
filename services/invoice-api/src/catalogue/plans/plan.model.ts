import {
  type CreationOptional,
  DataTypes,
  type InferAttributes,
  type InferCreationAttributes,
  Model,
  type ModelStatic,
  type Sequelize,
} from 'sequelize'

/** A named list of charges in one currency; what it says is in its versions. */
export class PlanRow extends Model<InferAttributes<PlanRow>, InferCreationAttributes<PlanRow>> {
  declare id: CreationOptional<string>
  declare organizationId: string
  declare code: string
  declare name: string
  declare currency: string
  declare createdAt: CreationOptional<Date>
}

export type Plans = ModelStatic<PlanRow>

/** The plans of one database; the table is made by the migrations, never by Sequelize. */
export function plansIn(sequelize: Sequelize): Plans {
  class StoredPlan extends PlanRow {}
  StoredPlan.init(
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      organizationId: { type: DataTypes.UUID, allowNull: false },
      code: { type: DataTypes.TEXT, allowNull: false },
      name: { type: DataTypes.TEXT, allowNull: false },
      currency: { type: DataTypes.TEXT, allowNull: false },
      createdAt: DataTypes.DATE,
    },
    { sequelize, modelName: 'Plan', tableName: 'plans', underscored: true, timestamps: false },
  )
  return StoredPlan
}
