import { readFileSync } from 'node:fs'
import path from 'node:path'
import { EVENT_LIMITS, REJECT_REASONS } from '@billtrail/domain'
import { UPLOADS_AT_ONCE } from './uploads/limit-uploads'

const PAGE = path.join(__dirname, '..', '..', '..', 'docs', 'file-formats.md')

/** The cells of the table below a heading of the page, without its head. */
function tableBelow(heading: string): string[][] {
  const [, below = ''] = readFileSync(PAGE, 'utf8').split(`\n## ${heading}\n`)
  const rows = below.split('\n## ')[0]!.match(/^\|.*\|$/gm) ?? []
  return rows.slice(2).map((row) => row.slice(2, -2).split(' | '))
}

test('the page on file formats has every reject code, in the words of the answers', () => {
  const codes = Object.entries(REJECT_REASONS).map(([code, message]) => [`\`${code}\``, message])
  expect(tableBelow('Rejected rows')).toEqual(codes)
})

test('the page on file formats has the limits of the code', () => {
  const limits = Object.fromEntries(tableBelow('Limits')) as Record<string, string>
  expect(new Set([EVENT_LIMITS.customerIdBytes, EVENT_LIMITS.eventIdBytes])).toEqual(
    new Set([EVENT_LIMITS.eventTypeBytes, EVENT_LIMITS.customerNameBytes]),
  )
  expect(limits).toMatchObject({
    '`customer_id`, `event_id`, `event_type`, `customer_name`': `${EVENT_LIMITS.eventIdBytes} bytes`,
    'properties of an event': String(EVENT_LIMITS.properties),
    'the name of a property, its value': `${EVENT_LIMITS.propertyNameBytes} bytes, ${EVENT_LIMITS.propertyValueBytes / 1024} KiB`,
    'a row': `${EVENT_LIMITS.rowBytes / 1024 ** 2} MiB`,
    'columns of a CSV': String(EVENT_LIMITS.columns),
    'uploads at one time': `${UPLOADS_AT_ONCE} for one ingest-api`,
  })
})
