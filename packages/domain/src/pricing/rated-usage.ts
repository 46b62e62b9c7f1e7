import type { Decimal } from '../decimal'

/** One event as a price sees it. */
export interface RatedEvent {
  /** What the meter takes from the event: units, or value in the bill's currency for a percentage. */
  readonly quantity: Decimal
  /** The event's own price of a unit, in the bill's currency. */
  readonly unitPrice?: Decimal | undefined
  readonly properties?: Readonly<Record<string, string>> | undefined
  /** When it happened, in microseconds since 1970. Decides which events are the earliest. */
  readonly eventDate?: number | undefined
}

/** All usage at one own unit price (undefined: without one), added up: what a sum grouped by unit price gives. */
export interface PriceSlice {
  readonly quantity: Decimal
  readonly unitPrice?: Decimal | undefined
}

/**
 * Usage of one charge (or of one group of it) in one period.
 *
 * `quantity` is the meter's result and always there. Events are needed only by prices that look at single
 * events (see `usageNeeds`); slices stand in for events where only their own unit prices matter.
 */
export interface GroupUsage {
  readonly quantity: Decimal
  readonly events?: readonly RatedEvent[] | undefined
  readonly slices?: readonly PriceSlice[] | undefined
  /**
   * What an earlier part of the same period used, where the plan carries tiers: tiers, packages and free units go
   * on after it, and fees of tiers entered before are not charged again. Undefined: they start anew.
   */
  readonly carriedIn?: Decimal | undefined
}

export interface UsageGroup {
  readonly properties: Readonly<Record<string, string>>
  readonly usage: GroupUsage
}

export interface RatedUsage extends GroupUsage {
  /** The same usage by the meter's group-by properties: each group is rated by itself, with its own line. */
  readonly groups?: readonly UsageGroup[] | undefined
}
