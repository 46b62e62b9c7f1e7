import type { ChargeJson } from '@billtrail/contracts'
import {
  type CreationOptional,
  DataTypes,
  type InferAttributes,
  type InferCreationAttributes,
  Model,
  type ModelStatic,
  type Sequelize,
} from 'sequelize'

export type VersionState = 'draft' | 'active' | 'retired'

/** What a plan says from when it is activated on: draft → active → retired. Only a draft changes. */
export class PlanVersionRow extends Model<
  InferAttributes<PlanVersionRow>,
  InferCreationAttributes<PlanVersionRow>
> {
  declare id: CreationOptional<string>
  declare planId: string
  declare version: number
  declare state: VersionState
  declare charges: ChargeJson[]
  declare carryTiers: boolean
  declare createdAt: CreationOptional<Date>
  declare activatedAt: CreationOptional<Date | null>
  declare retiredAt: CreationOptional<Date | null>
}

export type PlanVersions = ModelStatic<PlanVersionRow>

/** The plan versions of one database; the table is made by the migrations, never by Sequelize. */
export function planVersionsIn(sequelize: Sequelize): PlanVersions {
  class StoredPlanVersion extends PlanVersionRow {}
  StoredPlanVersion.init(
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      planId: { type: DataTypes.UUID, allowNull: false },
      version: { type: DataTypes.INTEGER, allowNull: false },
      state: { type: DataTypes.TEXT, allowNull: false },
      charges: { type: DataTypes.JSONB, allowNull: false },
      carryTiers: { type: DataTypes.BOOLEAN, allowNull: false },
      createdAt: DataTypes.DATE,
      activatedAt: DataTypes.DATE,
      retiredAt: DataTypes.DATE,
    },
    {
      sequelize,
      modelName: 'PlanVersion',
      tableName: 'plan_versions',
      underscored: true,
      timestamps: false,
    },
  )
  return StoredPlanVersion
}
