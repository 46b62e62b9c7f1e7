/** A plan version as its snapshot (`PlanSnapshot`): `v` of plan_versions, `p` of plans. */
export const planSql = (v: string, p: string): string =>
  `(jsonb_build_object('version_id', ${v}.id, 'code', ${p}.code, 'name', ${p}.name, 'version', ${v}.version,
      'currency', ${p}.currency, 'charges', ${v}.charges)
    || case when ${v}.carry_tiers then '{"carry_tiers": true}'::jsonb else '{}'::jsonb end)`
