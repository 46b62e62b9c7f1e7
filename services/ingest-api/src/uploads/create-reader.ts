import {
  createCsvReader,
  createJsonReader,
  createNdjsonReader,
  type ReaderOptions,
  type UsageReader,
} from '../reading'
import type { UploadOptions } from './upload-options'

const NDJSON_TYPE = /\bndjson\b|\bjsonl\b|\bjson-seq\b/i
const NDJSON_NAME = /\.(ndjson|jsonl)(\.gz)?$/i
const JSON_TYPE = /^application\/(json|cloudevents(-batch)?\+json)\b/i
const JSON_NAME = /\.json(\.gz)?$/i

/** The reader for a file, by its content type or, in a form, by its name. Everything else is CSV. */
export function createReader(
  file: { filename: string; contentType: string },
  options: UploadOptions & Pick<ReaderOptions, 'onReject'> & { zone: string },
): UsageReader {
  const readerOptions: ReaderOptions = {
    zone: options.zone,
    now: Date.now(),
    allowFuture: options.allowFuture,
    deriveIds: options.deriveIds,
    onReject: options.onReject,
    ...(options.columns ? { columns: options.columns } : {}),
    ...(options.delimiter ? { delimiter: options.delimiter } : {}),
  }
  const { contentType, filename } = file
  if (NDJSON_TYPE.test(contentType) || NDJSON_NAME.test(filename)) {
    return createNdjsonReader(readerOptions)
  }
  const isJson = JSON_TYPE.test(contentType) || JSON_NAME.test(filename)
  return isJson ? createJsonReader(readerOptions) : createCsvReader(readerOptions)
}
