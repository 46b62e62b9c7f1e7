import {
  aggregate,
  decimal,
  type FieldError,
  isFault,
  localClock,
  type Meter,
  meterFor,
  type MeterEvent,
  moneyText,
  parseEventDate,
  proratedDays,
  rateBill,
  REJECT_REASONS,
  type RatedUsage,
  sum,
  toPlain,
  ZERO,
} from '@billtrail/domain'
import { fieldErrors, fieldText, invalidFields } from './field-errors'
import { toMeter } from './meter.schema'
import { toPrice } from './parse-price'
import { QuoteRequest, type QuoteRequestJson, type QuoteResponseJson } from './quote.schema'
import { ratedLineJson } from './rated-line-json'

const CURRENCY_DEFAULT = 'USD'

/** Reads the body of a quote. Throws DomainError invalid `invalid_quote` with every fault by its path. */
export function parseQuote(json: unknown): QuoteRequestJson {
  const result = QuoteRequest.safeParse(json)
  if (!result.success) throw invalidFields('invalid_quote', fieldErrors(result.error, []))
  return result.data
}

/**
 * What usage costs by a price: the rating function itself. Pure, so it can be asked as often as one likes.
 *
 * Throws DomainError invalid: `unknown_currency`, `invalid_proration`, and `invalid_quote` for events that the price or the
 * meter can't use.
 */
export function quote(request: QuoteRequestJson): QuoteResponseJson {
  const currency = request.currency ?? CURRENCY_DEFAULT
  const usage = usageOf(request)
  const bill = rateBill({
    currency,
    charges: [
      {
        id: 'quote',
        name: 'Quote',
        price: toPrice(request.price),
        usage,
        days: daysOf(request.proration),
      },
    ],
  })
  return {
    amount: moneyText(bill.total, currency),
    currency,
    unrounded_amount: toPlain(sum(bill.lines.map((line) => line.unroundedAmount))),
    lines: bill.lines.flatMap(({ subLines, groupProperties }) =>
      subLines.map((line) =>
        ratedLineJson(
          groupProperties === undefined
            ? line
            : { ...line, properties: { ...groupProperties, ...line.properties } },
        ),
      ),
    ),
  }
}

function daysOf(proration: QuoteRequestJson['proration']) {
  if (proration === undefined) return undefined
  const { from, to, period } = proration
  return proratedDays({ from: from.slice(0, 10), to: to.slice(0, 10), period })
}

function usageOf(request: QuoteRequestJson): RatedUsage {
  const { events, groups, price } = request
  if (events !== undefined) return usageOfEvents(events, request)
  if (price.model === 'dynamic') {
    const message = 'A dynamic price is that of each event: send events with a unit_price'
    throw invalidFields('invalid_quote', [{ field: 'events', message }])
  }
  if (groups === undefined) return { quantity: decimal(request.quantity ?? '0') }
  const parts = groups.map(({ properties, quantity }) => ({
    properties,
    usage: { quantity: decimal(quantity) },
  }))
  return { quantity: sum(parts.map((part) => part.usage.quantity)), groups: parts }
}

type QuoteEvents = NonNullable<QuoteRequestJson['events']>

function usageOfEvents(events: QuoteEvents, { meter, price }: QuoteRequestJson): RatedUsage {
  const errors: FieldError[] = []
  const clock = localClock('UTC')
  const dated = events.map((event, at) => {
    if (price.model === 'dynamic' && event.unit_price === undefined) {
      const message = 'A dynamic price needs the unit_price of each event'
      errors.push({ field: fieldText(['events', at, 'unit_price']), message })
    }
    if (event.event_date === undefined) return undefined
    const date = parseEventDate(event.event_date, { clock, nowMicros: 0, allowFuture: true })
    if (!isFault(date)) return date.micros
    const message = REJECT_REASONS[date.reason]
    errors.push({ field: fieldText(['events', at, 'event_date']), message })
    return undefined
  })
  if (meter?.aggregation === 'weighted_sum' || meter?.period !== undefined) {
    dated.forEach((date, at) => {
      if (date !== undefined || events[at]?.event_date !== undefined) return
      const message = 'This meter needs the event_date of each event'
      errors.push({ field: fieldText(['events', at, 'event_date']), message })
    })
  }
  if (errors.length > 0) throw invalidFields('invalid_quote', errors)

  // Without dates on all of them events are taken in the order they are sent.
  const allDated = !dated.includes(undefined)
  const metered = events.map(
    (event, at): MeterEvent => ({
      eventType: event.event_type ?? '',
      eventDate: allDated ? (dated[at] ?? at) : at,
      quantity: decimal(event.quantity ?? '1'),
      unitPrice: event.unit_price === undefined ? undefined : decimal(event.unit_price),
      properties: event.properties,
    }),
  )
  const span = spanOf(meter, metered)
  const carriedIn = meter?.carried_in === undefined ? ZERO : decimal(meter.carried_in)
  const rule = meterFor(meterOf(meter), toPrice(price))
  return aggregate(rule, metered, { span, carriedIn }).usage
}

function meterOf(meter: QuoteRequestJson['meter']): Meter {
  return toMeter({ aggregation: 'sum', ...meter, code: 'quote' })
}

/** A weighted sum is over a month; everything else over all events sent. */
function spanOf(meter: QuoteRequestJson['meter'], events: readonly MeterEvent[]) {
  if (meter?.period === undefined && meter?.aggregation !== 'weighted_sum') {
    return { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER }
  }
  const first = events.reduce((earliest, event) => Math.min(earliest, event.eventDate), Infinity)
  const month = new Date(Number.isFinite(first) ? Math.floor(first / 1000) : 0)
  const [year, index] =
    meter.period === undefined
      ? [month.getUTCFullYear(), month.getUTCMonth()]
      : [Number(meter.period.slice(0, 4)), Number(meter.period.slice(5)) - 1]
  return { from: Date.UTC(year, index, 1) * 1000, to: Date.UTC(year, index + 1, 1) * 1000 }
}
