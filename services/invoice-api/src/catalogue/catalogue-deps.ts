import type { Pool } from 'pg'
import type { Sequelize } from 'sequelize'
import type { Meters } from './meters/meter.model'
import type { PlanVersions } from './plans/plan-version.model'
import type { Plans } from './plans/plan.model'

/** What the use cases of the catalogue work with. */
export interface CatalogueDeps {
  readonly pool: Pool
  readonly sequelize: Sequelize
  readonly meters: Meters
  readonly plans: Plans
  readonly versions: PlanVersions
}
