import type { Route } from '@billtrail/platform'
import type { CatalogueDeps } from './catalogue-deps'
import { catalogueFileRoutes } from './file/catalogue-file.routes'
import { metersIn } from './meters/meter.model'
import { meterRoutes } from './meters/meters.routes'
import { plansIn } from './plans/plan.model'
import { planVersionsIn } from './plans/plan-version.model'
import { planVersionRoutes } from './plans/plan-versions.routes'
import { planRoutes } from './plans/plans.routes'
import { subscriptionRoutes } from './subscriptions/subscriptions.routes'

/** Meters, plans and their versions, subscriptions, and all but these last as one file. */
export function catalogueRoutes(db: Pick<CatalogueDeps, 'pool' | 'sequelize'>): Route[] {
  const { sequelize } = db
  const deps: CatalogueDeps = {
    ...db,
    meters: metersIn(sequelize),
    plans: plansIn(sequelize),
    versions: planVersionsIn(sequelize),
  }
  return [
    ...meterRoutes(deps),
    ...planRoutes(deps),
    ...planVersionRoutes(deps),
    ...subscriptionRoutes(deps),
    ...catalogueFileRoutes(deps),
  ]
}
