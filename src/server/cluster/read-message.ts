import type { SentExemplar, SeriesChunk } from '../../metrics/chunks.ts'
import type { Family } from '../../metrics/family.ts'
import type { Failure, FromWorker, WorkerAssignment, ToWorker } from './messages.ts'

/** The field that holds the mark. */
const markField = 'headwaters'

/** The longest drain timeout that the configuration accepts, in ms. */
const maxDrainMs = 600_000

/** Adds the mark of a channel to a message. */
export function marked(message: FromWorker | ToWorker, mark: string): object {
  return { [markField]: mark, ...message }
}

/**
 * Returns the message of a worker, or `undefined` for a value that Headwaters did not send, such as a message of the
 * definitions.
 */
export function readFromWorker(value: unknown, mark: string): FromWorker | undefined {
  const fields = fieldsOf(value, mark)
  switch (fields?.['kind']) {
    case 'alive':
      return { kind: 'alive' }
    case 'listening': {
      const { port, drainMs } = fields
      return isWhole(port, 65_535) && isWhole(drainMs, maxDrainMs) ? { kind: 'listening', port, drainMs } : undefined
    }
    case 'failed': {
      const failure = readFailure(fields['failure'])
      return failure && { kind: 'failed', failure }
    }
    case 'lost': {
      const { lines } = fields
      return isWhole(lines) ? { kind: 'lost', lines } : undefined
    }
    case 'count': {
      const { id, client } = fields
      return isWhole(id) && typeof client === 'string' ? { kind: 'count', id, client } : undefined
    }
    case 'series': {
      const chunk = readChunk(fields['chunk'])
      return chunk && { kind: 'series', chunk }
    }
    case 'collected': {
      const { id } = fields
      return isWhole(id) ? { kind: 'collected', id } : undefined
    }
    case 'render': {
      const { id, format } = fields
      return isWhole(id) && (format === 'prometheus' || format === 'openmetrics')
        ? { kind: 'render', id, format }
        : undefined
    }
    default:
      return undefined
  }
}

/** Returns the message of the primary, or `undefined` for a value that Headwaters did not send. */
export function readToWorker(value: unknown, mark: string): ToWorker | undefined {
  const fields = fieldsOf(value, mark)
  switch (fields?.['kind']) {
    case 'stop': {
      const { mode } = fields
      return mode === 'drain' || mode === 'replace' ? { kind: 'stop', mode } : undefined
    }
    case 'lost': {
      const { lines } = fields
      return isWhole(lines) ? { kind: 'lost', lines } : undefined
    }
    case 'counted': {
      const { id, current, ttl } = fields
      return isWhole(id) && isWhole(current) && isTime(ttl) ? { kind: 'counted', id, current, ttl } : undefined
    }
    case 'collect':
    case 'notRendered': {
      const { id, kind } = fields
      return isWhole(id) ? { kind, id } : undefined
    }
    case 'rendered': {
      const { id, text, isLast } = fields
      return isWhole(id) && typeof text === 'string' && typeof isLast === 'boolean'
        ? { kind: 'rendered', id, text, isLast }
        : undefined
    }
    default:
      return undefined
  }
}

/** Returns the assignment that the primary wrote, or `undefined` if the variable has another value. */
export function readAssignment(text: string | undefined): WorkerAssignment | undefined {
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const { index, count, host, port, demoUpstreams, mark, heartbeatMs } = value
  if (!isWhole(count) || !isWhole(index, count - 1) || typeof host !== 'string' || !isWhole(port, 65_535))
    return undefined
  if (
    typeof mark !== 'string' ||
    mark === '' ||
    !isTime(heartbeatMs) ||
    !(demoUpstreams === undefined || isTexts(demoUpstreams))
  )
    return undefined
  return { index, count, host, port, demoUpstreams, mark, heartbeatMs }
}

function fieldsOf(value: unknown, mark: string): Readonly<Record<string, unknown>> | undefined {
  return isObject(value) && value[markField] === mark ? value : undefined
}

function readFailure(value: unknown): Failure | undefined {
  if (!isObject(value)) return undefined
  const { name, message, stack, code } = value
  if (typeof name !== 'string' || typeof message !== 'string' || !isOptionalText(stack) || !isOptionalText(code))
    return undefined
  return { name, message, stack, code }
}

function readChunk(value: unknown): SeriesChunk | undefined {
  if (!isObject(value)) return undefined
  const { from, labels, values, exemplars } = value
  const family = readFamily(value['family'])
  if (family === undefined || !isWhole(from) || !isList(labels, isText) || !isList(values, isNumberOrNull))
    return undefined
  return isList(exemplars, isExemplar) ? { family, from, labels, values, exemplars } : undefined
}

function readFamily(value: unknown): Family | undefined {
  if (!isObject(value)) return undefined
  const { name, help, type, labels, buckets, merge = 'sum' } = value
  if (!isText(name) || !isText(help) || !isList(labels, isText) || (merge !== 'sum' && merge !== 'max'))
    return undefined
  if (type === 'histogram') return isList(buckets, isNumber) ? { name, help, type, labels, buckets, merge } : undefined
  return type === 'counter' || type === 'gauge' ? { name, help, type, labels, merge } : undefined
}

function isExemplar(value: unknown): value is SentExemplar {
  return (
    isObject(value) &&
    isWhole(value['at']) &&
    isText(value['traceId']) &&
    isNumber(value['value']) &&
    isTime(value['time'])
  )
}

function isList<T>(value: unknown, isEntry: (entry: unknown) => entry is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isEntry)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value)
}

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || Number.isFinite(value)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every(text => typeof text === 'string')
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function isWhole(value: unknown, most = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
