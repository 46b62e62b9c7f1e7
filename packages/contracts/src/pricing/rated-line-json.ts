import { type RatedLine, toPlain } from '@billtrail/domain'
import type { RatedLineJson } from './quote.schema'

/** A line of arithmetic as JSON, the same on quotes, bills and invoices. */
export function ratedLineJson(line: RatedLine): RatedLineJson {
  const { tier, reason, properties } = line
  return {
    kind: line.kind,
    description: line.description,
    units: toPlain(line.units),
    unit_price: line.unitPrice === null ? null : toPlain(line.unitPrice),
    flat_fee: toPlain(line.flatFee),
    amount: toPlain(line.amount),
    ...(tier === undefined
      ? {}
      : {
          tier: { from: toPlain(tier.from), up_to: tier.upTo === null ? null : toPlain(tier.upTo) },
        }),
    ...(reason === undefined ? {} : { reason }),
    ...(properties === undefined ? {} : { properties: { ...properties } }),
  }
}
