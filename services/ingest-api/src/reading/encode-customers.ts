import { ARRAY_BYTES, TEXT, writeArray } from './binary-format'
import type { NameTable } from './name-table'

/** Columns of a customer, in this order. */
export const CUSTOMER_COLUMNS = ['customer_no', 'organization_id', 'id', 'name'] as const

const BUFFER_BYTES = 128 * 1024
const UUID_BYTES = 16
/** Bytes of a row before the id: number of fields, two fields with their lengths, the length of the id. */
const HEAD_BYTES = 2 + (4 + 4) + (4 + UUID_BYTES) + 4

/**
 * Encodes customers as binary COPY rows of `CUSTOMER_COLUMNS`: those at the indexes `order`, with numbers from
 * `firstNumber` on. No header, no trailer. Each buffer holds whole rows.
 */
export function* encodeCustomers(
  customers: NameTable,
  order: Uint32Array,
  { organizationId, firstNumber }: { organizationId: string; firstNumber: number },
): Generator<Buffer, void, void> {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeInt16BE(CUSTOMER_COLUMNS.length, 0)
  head.writeInt32BE(4, 2)
  head.writeInt32BE(UUID_BYTES, 10)
  head.write(organizationId.replaceAll('-', ''), 14, 'hex')

  let out = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  let to = 0
  for (let place = 0; place < order.length; place++) {
    const index = order[place]!
    const length = customers.byteLength(index)
    const name = customers.description(index)
    const nameLength = name === null ? 0 : Buffer.byteLength(name)
    if (to + HEAD_BYTES + length + 4 + nameLength > out.length) {
      yield out.subarray(0, to)
      out = Buffer.allocUnsafeSlow(BUFFER_BYTES)
      to = 0
    }
    for (let from = 0; from < HEAD_BYTES; from++) out[to + from] = head[from]!
    out.writeInt32BE(firstNumber + place, to + 6)
    out.writeInt32BE(length, to + HEAD_BYTES - 4)
    to = customers.copyBytes(index, out, to + HEAD_BYTES)
    to = out.writeInt32BE(name === null ? -1 : nameLength, to)
    if (name !== null) to += out.write(name, to)
  }
  if (to > 0) yield out.subarray(0, to)
}

/** The ids of the customers at the indexes `order`, as a `text[]` in binary. */
export function encodeIds(customers: NameTable, order: Uint32Array): Buffer {
  let bytes = ARRAY_BYTES + 4 * order.length
  for (const index of order) bytes += customers.byteLength(index)
  const out = Buffer.allocUnsafeSlow(bytes)
  const view = new DataView(out.buffer)
  writeArray(view, 0, TEXT, order.length)
  let to = ARRAY_BYTES
  for (const index of order) {
    view.setInt32(to, customers.byteLength(index))
    to = customers.copyBytes(index, out, to + 4)
  }
  return out
}
