import { createGrouping } from './create-grouping'

/** A grouping whose groups end when the test says so. */
function groups(options: { max?: number; alone?: (item: string) => Promise<string> } = {}) {
  const begun: { items: readonly string[]; end: (answers: Map<string, string> | Error) => void }[] =
    []
  const submit = createGrouping<string, string>({
    max: options.max ?? 100,
    weigh: (item) => item.length,
    run: (items) =>
      new Promise((resolve, reject) => {
        const end = (answers: Map<string, string> | Error) =>
          answers instanceof Error ? reject(answers) : resolve(answers)
        begun.push({ items, end })
      }),
    runAlone: options.alone ?? (() => Promise.reject(new Error('nobody goes alone'))),
  })
  const answered = (items: readonly string[]) => new Map(items.map((item) => [item, `did ${item}`]))
  /** Ends the group, and lets the next one begin. */
  const endNext = async (at: number, answers?: Map<string, string> | Error) => {
    begun[at]!.end(answers ?? answered(begun[at]!.items))
    await new Promise(setImmediate)
  }
  return { submit, begun, endNext }
}

test('one that comes alone goes at once; those that come meanwhile go together, in their order', async () => {
  const { submit, begun, endNext } = groups()
  const first = submit('a')
  expect(begun.map((group) => group.items)).toEqual([['a']])
  const rest = [submit('b'), submit('c'), submit('d')]
  await endNext(0)
  expect(await first).toBe('did a')
  expect(begun.map((group) => group.items)).toEqual([['a'], ['b', 'c', 'd']])
  await endNext(1)
  expect(await Promise.all(rest)).toEqual(['did b', 'did c', 'did d'])
})

test('a group is bounded by weight, and an item heavier than the bound goes by itself', async () => {
  const { submit, begun, endNext } = groups({ max: 4 })
  const all = ['x', 'bb', 'cc', 'd', 'eeeeeeeee', 'f'].map((item) => submit(item))
  for (let at = 0; at < 5; at++) {
    await endNext(at)
    await all[[0, 2, 3, 4, 5][at]!]
  }
  expect(begun.map((group) => group.items)).toEqual([
    ['x'],
    ['bb', 'cc'],
    ['d'],
    ['eeeeeeeee'],
    ['f'],
  ])
  await Promise.all(all)
})

test('an item without an answer goes alone and holds up nobody; its failure is its own', async () => {
  const alone: { end: (error: Error) => void } = { end: () => undefined }
  const { submit, endNext } = groups({
    alone: () => new Promise((_resolve, reject) => (alone.end = reject)),
  })
  const held = submit('held')
  const beside = submit('beside')
  await endNext(0, new Map())
  await endNext(1)
  expect(await beside).toBe('did beside')
  alone.end(new Error('still held'))
  await expect(held).rejects.toThrow('still held')
})

test('what a group throws, all of it hear, and the next group goes all the same', async () => {
  const { submit, endNext } = groups()
  const first = submit('a')
  const [second, third] = [submit('b'), submit('c')]
  await endNext(0)
  await first
  void endNext(1, new Error('no database'))
  await expect(second).rejects.toThrow('no database')
  await expect(third).rejects.toThrow('no database')
  const last = submit('d')
  await endNext(2)
  expect(await last).toBe('did d')
})
