import { isObject, isOptionalText, isTexts, isTime, isWhole } from './message-values.ts'
import { topics, type Failure, type FromWorker, type Topic, type ToWorker, type WorkerAssignment } from './messages.ts'
import { readBreakerChange, readKept } from './read-overview.ts'
import { readChunk } from './read-chunk.ts'
import { readProcessSample } from './read-process-sample.ts'

/** The field that holds the mark. */
const markField = 'headwaters'

/** The longest drain timeout that the configuration accepts, in ms. */
const maxDrainMs = 600_000

/** The largest number of calls of a batch that the configuration accepts. */
const maxCalls = 1000

/** The longest time between two samples, in ms. */
const maxEveryMs = 60_000

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
      const { id, client, calls } = fields
      return isWhole(id) && typeof client === 'string' && isWhole(calls, maxCalls)
        ? { kind: 'count', id, client, calls }
        : undefined
    }
    case 'series': {
      const chunk = readChunk(fields['chunk'])
      return chunk && { kind: 'series', chunk }
    }
    case 'collected':
    case 'notAnswered': {
      const { id, kind } = fields
      return isWhole(id) ? { kind, id } : undefined
    }
    case 'answered':
      return readPart(fields, 'answered')
    case 'sample': {
      const sample = readProcessSample(fields['sample'])
      return sample && { kind: 'sample', sample }
    }
    case 'kept':
      return readKept(fields)
    case 'breaker': {
      const change = readBreakerChange(fields['change'])
      return change && { kind: 'breaker', change }
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
    case 'rendered':
      return readPart(fields, 'rendered')
    case 'ask': {
      const { id, topic, text } = fields
      return isWhole(id) && isTopic(topic) && typeof text === 'string' ? { kind: 'ask', id, topic, text } : undefined
    }
    case 'watch': {
      const { every, rows } = fields
      return isWhole(every, maxEveryMs) && every > 0 && typeof rows === 'boolean'
        ? { kind: 'watch', every, rows }
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
  const { index, count, host, port, demoUpstreams, mark, heartbeatMs, service } = value
  if (!isWhole(count) || !isWhole(index, count - 1) || typeof host !== 'string' || !isWhole(port, 65_535))
    return undefined
  if (
    typeof mark !== 'string' ||
    mark === '' ||
    typeof service !== 'string' ||
    service === '' ||
    !isTime(heartbeatMs) ||
    !(demoUpstreams === undefined || isTexts(demoUpstreams))
  )
    return undefined
  return { index, count, host, port, demoUpstreams, mark, heartbeatMs, service }
}

function fieldsOf(value: unknown, mark: string): Readonly<Record<string, unknown>> | undefined {
  return isObject(value) && value[markField] === mark ? value : undefined
}

function readPart<K extends 'answered' | 'rendered'>(
  { id, text, isLast }: Readonly<Record<string, unknown>>,
  kind: K,
): { readonly kind: K; readonly id: number; readonly text: string; readonly isLast: boolean } | undefined {
  return isWhole(id) && typeof text === 'string' && typeof isLast === 'boolean' ? { kind, id, text, isLast } : undefined
}

function isTopic(value: unknown): value is Topic {
  return topics.includes(value as Topic)
}

function readFailure(value: unknown): Failure | undefined {
  if (!isObject(value)) return undefined
  const { name, message, stack, code } = value
  if (typeof name !== 'string' || typeof message !== 'string' || !isOptionalText(stack) || !isOptionalText(code))
    return undefined
  return { name, message, stack, code }
}
