interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** What a group at work may say of the one after it; more than once, and in vain when it has ended. */
export interface Next {
  /** It may begin: this one has only its answers left. */
  readonly begins: () => void
  /**
   * It may go behind this one, to be done right after it, as soon as it is as large. Smaller ones follow each other faster than
   * they fill, and many small ones cost more than they gain.
   */
  readonly mayQueue: () => void
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
   * earlier if it says so.
   */
  readonly run: (items: readonly Item[], next: Next) => Promise<ReadonlyMap<Item, Result>>
  /** For an item that `run` gave no answer for. */
  readonly runAlone: (item: Item) => Promise<Result>
}

function takeGroup<Item, Result>(
  waiting: Waiting<Item, Result>[],
  { max, weigh }: { max: number; weigh: (item: Item) => number },
): { group: Waiting<Item, Result>[]; weight: number } {
  let count = 0
  let weight = 0
  while (count < waiting.length) {
    const more = weigh(waiting[count]!.item)
    if (count > 0 && weight + more > max) break
    weight += more
    count++
  }
  return { group: waiting.splice(0, count), weight }
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
  let waitingWeight = 0
  let atWork = 0
  /** Begins the next group, once so much is waiting. */
  let queued: { readonly weight: number; readonly begin: () => void } | undefined

  const answer = async (group: readonly Waiting<Item, Result>[], next: Next): Promise<void> => {
    try {
      const items = group.map(({ item }) => item)
      const results = await run(items, next)
      next.begins()
      for (const { item, resolve, reject } of group) {
        if (results.has(item)) resolve(results.get(item) as Result)
        else runAlone(item).then(resolve, reject)
      }
    } catch (error) {
      next.begins()
      for (const { reject } of group) reject(error)
    }
  }
  const beginQueued = (): void => {
    if (queued !== undefined && waitingWeight >= queued.weight) queued.begin()
  }
  const work = (): void => {
    if (waiting.length === 0) {
      atWork -= 1
      return
    }
    const { group, weight } = takeGroup(waiting, { max, weigh })
    waitingWeight -= weight
    let isOver = false
    const begins = () => {
      if (isOver) return
      isOver = true
      if (queued?.begin === begins) queued = undefined
      work()
    }
    const mayQueue = () => {
      if (isOver) return
      queued = { weight, begin: begins }
      beginQueued()
    }
    void answer(group, { begins, mayQueue })
  }
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      waitingWeight += weigh(item)
      beginQueued()
      if (atWork === atOnce) return
      atWork += 1
      setImmediate(work)
    })
}
