export interface BenchOptions {
  readonly rows: number
  /** Each figure is the median of so many. */
  readonly rounds: number
  /** The sizes of the bars themselves: 20 M stored events, a file of 10 M rows. */
  readonly isFull: boolean
}
