import { createCountingTurn } from './counting-turn'

function turnAt(clock: { ms: number }) {
  return createCountingTurn(() => clock.ms)
}

test('usage is counted once no upload is being stored any more', () => {
  const turn = turnAt({ ms: 0 })
  expect(turn.mayBegin()).toBe(true)
  const ends = [turn.uploadBegins(), turn.uploadBegins()]
  expect(turn.mayBegin()).toBe(false)
  ends[0]!()
  expect(turn.mayBegin()).toBe(false)
  ends[1]!()
  expect(turn.mayBegin()).toBe(true)
})

test('uploads that never cease keep usage from being counted for ten seconds, each time', () => {
  const clock = { ms: 5_000 }
  const turn = turnAt(clock)
  turn.uploadBegins()
  const mayBeginAt = (ms: number): boolean => {
    clock.ms = ms
    return turn.mayBegin()
  }
  expect([5_000, 14_999, 15_000].map(mayBeginAt)).toEqual([false, false, true])
  expect([16_000, 25_999, 26_000].map(mayBeginAt)).toEqual([false, false, true])
})
