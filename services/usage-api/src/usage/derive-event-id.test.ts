import { isOwnKey } from '@billtrail/domain'
import { deriveEventId } from './derive-event-id'

test('an idempotency key always stands for the same id, which needs no other text beside its key', () => {
  expect(deriveEventId('order 17')).toBe(deriveEventId('order 17'))
  expect(deriveEventId('order 17')).not.toBe(deriveEventId('order 18'))
  expect(isOwnKey(deriveEventId('order 17'))).toBe(true)
})
