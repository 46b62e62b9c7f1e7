import { type ChargeJson, priceJson, toPrice } from '@billtrail/contracts'
import type { FieldError } from '@billtrail/domain'
import { differingFields, wholeContent } from '../meters/present-meter'
import type {
  CatalogueChangeJson,
  CatalogueJson,
  FilePlanJson,
  FileVersionJson,
} from './catalogue-file.schema'

export interface Comparison {
  /** In the order in which they can be made. */
  readonly changes: readonly CatalogueChangeJson[]
  /** What the file asks for and cannot be, by its path. */
  readonly conflicts: readonly FieldError[]
}

interface Stored {
  readonly catalogue: CatalogueJson
  /** Meters that activated versions use: what they count never changes. */
  readonly frozenMeters: ReadonlySet<string>
}

/**
 * What has to change so that everything the file names is as it says. What it does not name stays as it is.
 * Charges of `wanted` have their ids.
 */
export function compareCatalogues(stored: Stored, wanted: CatalogueJson): Comparison {
  const parts = [
    compareMeters(stored, wanted),
    ...(wanted.plans ?? []).map((plan, at) =>
      comparePlan(
        stored.catalogue.plans?.find((known) => known.code === plan.code),
        plan,
        `plans[${at}]`,
      ),
    ),
  ]
  const { default_plan: before } = stored.catalogue
  const { default_plan: after } = wanted
  const changes = parts.flatMap((part) => part.changes)
  // The default plan needs an active version, before others lose theirs.
  const retire = changes.filter((change) => change.action === 'retire')
  const makeDefault: CatalogueChangeJson[] =
    after === undefined || after === before
      ? []
      : [{ action: 'make_default', object: 'plan', code: after }]
  return {
    changes: [...changes.filter((change) => change.action !== 'retire'), ...makeDefault, ...retire],
    conflicts: parts.flatMap((part) => part.conflicts),
  }
}

function compareMeters({ catalogue, frozenMeters }: Stored, wanted: CatalogueJson): Comparison {
  const changes: CatalogueChangeJson[] = []
  const conflicts: FieldError[] = []
  wanted.meters?.forEach((meter, at) => {
    const { code } = meter
    const known = catalogue.meters?.find((one) => one.code === code)
    if (known === undefined) {
      changes.push({ action: 'create', object: 'meter', code })
      return
    }
    const fields = differingFields(wholeContent(known), wholeContent(meter))
    if (fields.length > 0) changes.push({ action: 'change', object: 'meter', code, fields })
    if (!frozenMeters.has(code)) return
    for (const field of fields.filter((one) => one !== 'name')) {
      const message = `A plan version that was activated uses ${code}, so what it counts never changes: make another meter`
      conflicts.push({ field: `meters[${at}].${field}`, message })
    }
  })
  return { changes, conflicts }
}

function comparePlan(
  known: FilePlanJson | undefined,
  { code, name, currency, versions }: FilePlanJson,
  path: string,
): Comparison {
  const changes: CatalogueChangeJson[] = []
  const conflicts: FieldError[] = []
  if (known === undefined) changes.push({ action: 'create', object: 'plan', code })
  else {
    if (name !== undefined && name !== known.name) {
      changes.push({ action: 'change', object: 'plan', code, fields: ['name'] })
    }
    if (currency !== known.currency) {
      const message = `The plan is in ${known.currency}, and that never changes: make another plan`
      conflicts.push({ field: `${path}.currency`, message })
    }
  }
  const compared = versions.map((version, at) =>
    compareVersion(
      code,
      known?.versions.find((one) => one.version === version.version),
      version,
      `${path}.versions[${at}]`,
    ),
  )
  return {
    changes: [...changes, ...compared.flatMap((one) => one.changes)],
    conflicts: [...conflicts, ...compared.flatMap((one) => one.conflicts)],
  }
}

function compareVersion(
  code: string,
  known: FileVersionJson | undefined,
  wanted: FileVersionJson,
  path: string,
): Comparison {
  const { version, state = 'active' } = wanted
  const target = { object: 'plan_version' as const, code, version }
  const from = known?.state ?? 'draft'
  const changes: CatalogueChangeJson[] = []
  const conflicts: FieldError[] = []
  const fields = known === undefined ? [] : differing(known, wanted)
  if (known === undefined) changes.push({ action: 'create', ...target })
  else if (fields.length > 0) {
    changes.push({ action: 'change', ...target, fields })
    if (from !== 'draft') {
      const message = `Version ${version} is ${from} and never changes: write a new version`
      conflicts.push(...fields.map((field) => ({ field: `${path}.${field}`, message })))
    }
  }
  if (state === 'active' && from === 'draft') changes.push({ action: 'activate', ...target })
  else if (state === 'retired' && from !== 'retired') {
    changes.push({ action: 'retire', ...target })
  } else if (state !== from) {
    const message = `Version ${version} is ${from} and cannot be ${state === 'draft' ? 'a draft' : state} again`
    conflicts.push({ field: `${path}.state`, message })
  }
  return { changes, conflicts }
}

function differing(known: FileVersionJson, wanted: FileVersionJson): string[] {
  const fields = []
  if (textOf(known.charges) !== textOf(wanted.charges)) fields.push('charges')
  if ((known.carry_tiers ?? false) !== (wanted.carry_tiers ?? false)) fields.push('carry_tiers')
  return fields
}

/** The same for charges that say the same: 5 and 5.00 are one price. */
const textOf = (charges: readonly ChargeJson[]): string =>
  JSON.stringify(
    charges.map(({ id, name, meter, price, prorate }) => [
      id,
      name ?? id,
      meter ?? null,
      priceJson(toPrice(price)),
      prorate ?? true,
    ]),
  )
