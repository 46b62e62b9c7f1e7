import { comparable, patternOf, readTour } from './read-tour'

const MARKDOWN = [
  '# Title',
  '```sh',
  'not this',
  '```',
  '## Tour',
  'Text.',
  '```sh',
  'A=1',
  '```',
  '```sh',
  'echo $A',
  '```',
  '```text',
  '1',
  '```',
  '## Next',
  '```sh',
  'nor this',
  '```',
  '',
].join('\n')

describe('the tour of a text', () => {
  test('is the blocks below its heading, each command with what it prints', () => {
    expect(readTour(MARKDOWN, 'Tour')).toEqual([
      { commands: 'A=1\n', printed: undefined },
      { commands: 'echo $A\n', printed: { format: 'text', text: '1\n' } },
    ])
  })

  test('must be there', () => {
    expect(() => readTour(MARKDOWN, 'Another')).toThrow('no heading')
  })

  test.each([
    ['a dot is a dot', 'text', 'a.b\n', 'axb\n', false],
    ['three dots stand for anything in a line', 'text', 'a…b\n', 'a123b\n', true],
    ['three dots do not cross a line end', 'text', 'a…b\n', 'a1\n2b\n', false],
    ['nothing may follow', 'text', 'a\n', 'a\nb\n', false],
    ['a tab is not a blank', 'text', 'a\tb\n', 'a b\n', false],
    ['JSON may be broken into lines', 'json', '{"a":"…",\n "b":2}\n', '{"a":"x","b":2}', true],
    ['a value of JSON counts', 'json', '{"a":"…",\n "b":2}\n', '{"a":"x","b":3}', false],
  ])('%s', (_name, format, text, output, matches) => {
    expect(patternOf({ format, text }).test(comparable(format, output))).toBe(matches)
  })
})
