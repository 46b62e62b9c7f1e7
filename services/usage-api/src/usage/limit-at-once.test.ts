import { limitAtOnce } from './limit-at-once'

test('no more jobs run at once than may, each gets its turn in order, and one that fails gives its turn on', async () => {
  const takeTurn = limitAtOnce(2)
  const begun: string[] = []
  const gates = new Map<string, { resolve: () => void; reject: (error: Error) => void }>()
  const job = (name: string) =>
    takeTurn(() => {
      begun.push(name)
      return new Promise<void>((resolve, reject) => gates.set(name, { resolve, reject }))
    })
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(job)
  const failed = expect(a).rejects.toThrow('no')
  await turn()
  expect(begun).toEqual(['a', 'b'])
  gates.get('a')!.reject(new Error('no'))
  await failed
  await turn()
  expect(begun).toEqual(['a', 'b', 'c'])
  for (const name of ['b', 'c']) gates.get(name)!.resolve()
  await Promise.all([b, c])
  const e = job('e')
  await turn()
  expect(begun).toEqual(['a', 'b', 'c', 'd', 'e'])
  for (const name of ['d', 'e']) gates.get(name)!.resolve()
  await Promise.all([d, e])
})

test('a failure that is one for all ends those who wait with it, and the next ones get their turn', async () => {
  const away = new Error('away')
  const takeTurn = limitAtOnce(1, (error) => error === away)
  let fail: (error: Error) => void = () => undefined
  const first = takeTurn(() => new Promise<void>((_resolve, reject) => (fail = reject)))
  const begun: number[] = []
  const others = [1, 2].map((number) => takeTurn(() => Promise.resolve(begun.push(number))))
  const ends = Promise.allSettled([first, ...others])
  fail(away)
  expect(await ends).toEqual([1, 2, 3].map(() => ({ status: 'rejected', reason: away })))
  expect(begun).toEqual([])
  expect(await takeTurn(() => Promise.resolve('served'))).toBe('served')
})
