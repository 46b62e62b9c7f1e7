import { PassThrough } from 'node:stream'
import { createTerminal, notableLogLine } from './terminal'

test.each([
  {
    line: '{"level":"warn","msg":"slow","reason":"disk"}',
    shown: { level: 'warn', message: 'slow: disk' },
  },
  {
    line: '{"level":"error","msg":"failed","err":{"message":"no route"}}',
    shown: { level: 'error', message: 'failed: no route' },
  },
  { line: '{"level":"fatal","msg":"uncaught"}', shown: { level: 'error', message: 'uncaught' } },
  { line: '{"level":"info","msg":"listening"}', shown: undefined },
  { line: '{"level":"warn"', shown: undefined },
  { line: 'not JSON at all', shown: undefined },
])('of $line a person sees $shown', ({ line, shown }) => {
  expect(notableLogLine(line)).toEqual(shown)
})

test('a line about a part has the time, the level, the part and what happened', () => {
  const out = new PassThrough()
  createTerminal(out).report('warn', 'gateway', 'ended')
  expect(String(out.read())).toMatch(/^\d\d:\d\d:\d\d warn {2}gateway: ended\n$/)
})

test('a terminal that was closed does not end the supervisor', () => {
  const out = new PassThrough()
  const terminal = createTerminal(out)
  expect(() => out.emit('error', new Error('write EPIPE'))).not.toThrow()
  expect(() => terminal.say('still here')).not.toThrow()
})
