/** One line of the table: what was measured, what it is held against, and the bar. */
export interface Figure {
  readonly work: string
  /** As it was measured, with its unit. */
  readonly measured: string
  readonly against: string
  /** What the bar is about: a ratio, or a number in the unit of `measured`. */
  readonly value: number
  readonly bar: { readonly atMost: number } | { readonly atLeast: number }
}

export const seconds = (value: number): string => `${value.toFixed(2)} s`
export const perSecond = (value: number, what: string): string => `${Math.round(value)} ${what}/s`

export const isWithin = ({ value, bar }: Figure): boolean =>
  'atMost' in bar ? value <= bar.atMost : value >= bar.atLeast

export function figureText(figure: Figure): string {
  const { work, measured, against, value, bar } = figure
  const barText = 'atMost' in bar ? `<= ${bar.atMost}` : `>= ${bar.atLeast}`
  return [
    work.padEnd(44),
    measured.padEnd(16),
    against.padEnd(30),
    value.toFixed(2).padStart(8),
    barText.padStart(9),
    isWithin(figure) ? '  ok' : '  MISSED',
  ].join(' ')
}
