import { createGrouping, type Next } from './create-grouping'

/** Work that ends when the test says so; results are the items in capitals. */
function gatedWork(max = 3, options: { weigh?: (item: string) => number; atOnce?: number } = {}) {
  const groups: string[][] = []
  const alone: string[] = []
  const gates: ((ends: Promise<void>) => void)[] = []
  const isLonely = (item: string) => item.startsWith('x')
  const submit = createGrouping<string, string>({
    max,
    ...options,
    run: async (items) => {
      groups.push([...items])
      await new Promise<void>((resolve) => gates.push(resolve))
      const answered = items.filter((item) => !isLonely(item))
      return new Map(answered.map((item) => [item, item.toUpperCase()]))
    },
    runAlone: (item) => {
      alone.push(item)
      return item === 'x fails' ? Promise.reject(new Error(item)) : new Promise(() => undefined)
    },
  })
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  /** Ends the oldest group at work, and gives the next one time to begin. */
  const end = async (ends: Promise<void> = Promise.resolve()): Promise<void> => {
    ends.catch(() => undefined)
    gates.shift()!(ends)
    await turn()
  }
  return { submit, groups, alone, turn, end }
}

test('a call that finds nothing at work goes at once, and those that come meanwhile go together after it', async () => {
  const { submit, groups, turn, end } = gatedWork()
  const first = submit('a')
  await turn()
  expect(groups).toEqual([['a']])

  const later = ['b', 'c'].map(submit)
  await turn()
  expect(groups).toEqual([['a']])
  await end()
  expect(groups).toEqual([['a'], ['b', 'c']])
  await end()
  expect(await Promise.all([first, ...later])).toEqual(['A', 'B', 'C'])
})

test('a group has its most, and the rest goes after it in the order in which it came', async () => {
  const { submit, groups, turn, end } = gatedWork(2)
  const all = ['a', 'b', 'c', 'd', 'e'].map(submit)
  await turn()
  await end()
  await end()
  await end()
  expect(groups).toEqual([['a', 'b'], ['c', 'd'], ['e']])
  expect(await Promise.all(all)).toEqual(['A', 'B', 'C', 'D', 'E'])
})

test('what goes alone holds up neither its own group nor the next', async () => {
  const { submit, alone, turn, end } = gatedWork()
  const [a, , c] = ['a', 'x waits for ever', 'c'].map(submit)
  await turn()
  await end()
  expect(await Promise.all([a, c])).toEqual(['A', 'C'])
  expect(alone).toEqual(['x waits for ever'])

  const next = submit('d')
  await turn()
  await end()
  expect(await next).toBe('D')
})

test('the failure of what went alone is its own', async () => {
  const { submit, turn, end } = gatedWork()
  const [a, failing] = ['a', 'x fails'].map(submit)
  const refused = expect(failing).rejects.toThrow('x fails')
  await turn()
  await end()
  await refused
  expect(await a).toBe('A')
})

test('what the work of a group throws, each of it is told; the next group begins all the same', async () => {
  const { submit, turn, end } = gatedWork(2)
  const [a, b, c] = ['a', 'b', 'c'].map(submit)
  const refused = Promise.all([
    expect(a).rejects.toThrow('no database'),
    expect(b).rejects.toThrow('no database'),
  ])
  await turn()
  await end(Promise.reject(new Error('no database')))
  await refused
  await end()
  expect(await c).toBe('C')
})

test('a group is bounded by weight, and an item heavier than the bound goes by itself', async () => {
  const { submit, groups, turn, end } = gatedWork(4, { weigh: (item) => item.length })
  const all = ['aaa', 'bb', 'cc', 'd', 'eeeeeeeee', 'f'].map(submit)
  await turn()
  for (let group = 0; group < 5; group++) await end()
  expect(groups).toEqual([['aaa'], ['bb', 'cc'], ['d'], ['eeeeeeeee'], ['f']])
  await Promise.all(all)
})

test('so many groups are at work at a time as may be, and no more', async () => {
  const { submit, groups, turn, end } = gatedWork(3, { atOnce: 2 })
  const first = submit('a')
  await turn()
  const second = submit('b')
  await turn()
  const rest = ['c', 'd'].map(submit)
  await turn()
  expect(groups).toEqual([['a'], ['b']])
  await end()
  expect(groups).toEqual([['a'], ['b'], ['c', 'd']])
  expect(await first).toBe('A')
  await end()
  await end()
  expect(await Promise.all([second, ...rest])).toEqual(['B', 'C', 'D'])
})

test('work that has only its answers left lets the next group begin; it goes on once, and ends when it ends', async () => {
  const goOns: (() => void)[] = []
  const ends: ((failure?: Error) => void)[] = []
  const groups: string[][] = []
  const submit = createGrouping<string, string>({
    max: 2,
    run: async (items, { begins }) => {
      groups.push([...items])
      goOns.push(begins)
      await new Promise<void>((resolve, reject) =>
        ends.push((failure) => (failure ? reject(failure) : resolve())),
      )
      return new Map(items.map((item) => [item, item.toUpperCase()]))
    },
    runAlone: () => Promise.reject(new Error('nothing goes alone here')),
  })
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  const all = ['a', 'b', 'c', 'd', 'e'].map(submit)
  await turn()
  goOns[0]!()
  goOns[0]!()
  await turn()
  expect(groups).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ])

  ends[0]!(new Error('the answers cannot be made'))
  await expect(all[0]).rejects.toThrow('the answers cannot be made')
  await expect(all[1]).rejects.toThrow('the answers cannot be made')
  expect(groups).toHaveLength(2)

  goOns[1]!()
  ends[2]!()
  expect(await all[4]).toBe('E')
  ends[1]!()
  expect(await Promise.all([all[2], all[3]])).toEqual(['C', 'D'])

  const later = submit('f')
  await turn()
  expect(groups).toEqual([['a', 'b'], ['c', 'd'], ['e'], ['f']])
  ends[3]!()
  expect(await later).toBe('F')
})

test('a group goes behind the one at work once it is as large, and a smaller one when that has ended', async () => {
  const nexts: Next[] = []
  const ends: (() => void)[] = []
  const groups: string[][] = []
  const submit = createGrouping<string, string>({
    max: 6,
    weigh: (item) => item.length,
    run: async (items, next) => {
      groups.push([...items])
      nexts.push(next)
      await new Promise<void>((resolve) => ends.push(resolve))
      return new Map(items.map((item) => [item, item.toUpperCase()]))
    },
    runAlone: () => Promise.reject(new Error('nothing goes alone here')),
  })
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  const all = ['aa', 'b'].map(submit)
  await turn()
  nexts[0]!.mayQueue()
  all.push(submit('c'), submit('d'))
  await turn()
  expect(groups).toEqual([['aa', 'b']])
  all.push(submit('ee'))
  expect(groups).toEqual([
    ['aa', 'b'],
    ['c', 'd', 'ee'],
  ])

  all.push(submit('ffff'), submit('g'))
  await turn()
  expect(groups).toHaveLength(2)
  nexts[1]!.mayQueue()
  expect(groups.slice(2)).toEqual([['ffff', 'g']])

  ends[0]!()
  nexts[2]!.mayQueue()
  all.push(submit('h'))
  ends[1]!()
  await turn()
  expect(groups).toHaveLength(3)
  ends[2]!()
  await turn()
  expect(groups.slice(3)).toEqual([['h']])
  nexts[2]!.mayQueue()
  all.push(...['iii', 'jjj', 'k'].map(submit))
  expect(groups).toHaveLength(4)
  ends[3]!()
  await turn()
  ends[4]!()
  await turn()
  ends[5]!()
  expect(await Promise.all(all)).toEqual(
    ['aa', 'b', 'c', 'd', 'ee', 'ffff', 'g', 'h', 'iii', 'jjj', 'k'].map((item) =>
      item.toUpperCase(),
    ),
  )
  expect(groups.slice(4)).toEqual([['iii', 'jjj'], ['k']])
})
