/** The middle one of at least one number. */
export const median = (numbers: readonly number[]): number => quantile(numbers, 0.5)

/** The number below which that share of them lies; `share` from 0 to 1. */
export const quantile = (numbers: readonly number[], share: number): number =>
  numbers.toSorted((a, b) => a - b)[
    Math.min(numbers.length - 1, Math.floor(numbers.length * share))
  ]!
