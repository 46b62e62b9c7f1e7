interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

export interface GroupingOptions<Item, Result> {
  /** A group has items until their weights reach this; it has at least one. */
  readonly max: number
  /** 1 for each item when left out. */
  readonly weigh?: (item: Item) => number
  /** How many groups may be at work at a time; 1 when left out. */
  readonly atOnce?: number
  /**
   * Does the work of several items at once. What it throws, it throws for each of them. The next group begins when it ends, or
   * as soon as it calls `goOn`, for one that has only its answers left to make.
   */
  readonly run: (items: readonly Item[], goOn: () => void) => Promise<ReadonlyMap<Item, Result>>
  /** For an item that `run` gave no answer for. */
  readonly runAlone: (item: Item) => Promise<Result>
}

/**
 * Has items that arrive while others are being worked on wait for each other and go together, in the order in which
 * they came; an item that has to go alone holds up nobody. Nobody waits for company: when nothing is at work, an item
 * goes with those that came in the same turn of the event loop.
 */
export function createGrouping<Item, Result>({
  max,
  weigh = () => 1,
  atOnce = 1,
  run,
  runAlone,
}: GroupingOptions<Item, Result>): (item: Item) => Promise<Result> {
  const waiting: Waiting<Item, Result>[] = []
  let atWork = 0

  const takeGroup = (): Waiting<Item, Result>[] => {
    let count = 0
    let weight = 0
    while (count < waiting.length) {
      weight += weigh(waiting[count]!.item)
      if (count > 0 && weight > max) break
      count++
    }
    return waiting.splice(0, count)
  }
  const answer = async (
    group: readonly Waiting<Item, Result>[],
    goOn: () => void,
  ): Promise<void> => {
    try {
      const items = group.map(({ item }) => item)
      const results = await run(items, goOn)
      goOn()
      for (const { item, resolve, reject } of group) {
        if (results.has(item)) resolve(results.get(item) as Result)
        else runAlone(item).then(resolve, reject)
      }
    } catch (error) {
      goOn()
      for (const { reject } of group) reject(error)
    }
  }
  const work = (): void => {
    if (waiting.length === 0) {
      atWork -= 1
      return
    }
    let isOver = false
    const goOn = () => {
      if (isOver) return
      isOver = true
      work()
    }
    void answer(takeGroup(), goOn)
  }
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (atWork === atOnce) return
      atWork += 1
      setImmediate(work)
    })
}
