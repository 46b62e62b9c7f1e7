/** Commands of a text for people, and what it says that they print. */
export interface TourStep {
  readonly commands: string
  /** undefined: the text does not say. */
  readonly printed: { readonly format: string; readonly text: string } | undefined
}

const BLOCK = /^```(\w*)\n([\s\S]*?)^```$/gm

/**
 * The code blocks below a heading of a Markdown text: each `sh` block is a step, and the block of another kind
 * that follows it is what it prints.
 */
export function readTour(markdown: string, heading: string): TourStep[] {
  const [, below] = markdown.split(`\n## ${heading}\n`)
  if (below === undefined) throw new Error(`There is no heading "${heading}".`)
  const section = below.split('\n## ')[0]!
  const steps: TourStep[] = []
  for (const [, format, text] of section.matchAll(BLOCK)) {
    const before = steps.at(-1)
    if (format === 'sh') steps.push({ commands: text!, printed: undefined })
    else if (before !== undefined && before.printed === undefined) {
      steps[steps.length - 1] = { ...before, printed: { format: format!, text: text! } }
    } else throw new Error(`A block follows no command: ${text}`)
  }
  return steps
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/**
 * What a step says it prints, as a pattern for the whole of it: `…` stands for anything without a line end. JSON
 * is shown in several lines and printed in one, so blanks and line ends do not count there.
 */
export function patternOf(printed: { format: string; text: string }): RegExp {
  const text = printed.format === 'json' ? printed.text.replaceAll(/\s/g, '') : printed.text
  return new RegExp(`^${escaped(text).replaceAll('…', '[^\\n]*?')}$`)
}

/** What a command has printed, in the form that `patternOf` is about. */
export const comparable = (format: string, output: string): string =>
  format === 'json' ? output.replaceAll(/\s/g, '') : output
