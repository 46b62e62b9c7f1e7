/** The values of one statement: `bind` keeps a value and gives the place that stands for it in the text. */
export interface SqlValues {
  readonly bind: (value: unknown) => string
  readonly list: readonly unknown[]
}

export function sqlValues(): SqlValues {
  const list: unknown[] = []
  return { list, bind: (value) => `$${list.push(value)}` }
}
