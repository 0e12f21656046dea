import type { IncomingMessage } from 'node:http'
import type { FastifyBaseLogger, FastifyServerOptions } from 'fastify'
import { activeTracing } from '../../otel/tracing.ts'
import { traceOf } from '../request/trace-of.ts'
import { fieldsOf, fieldsText, traceFields } from './trace-fields.ts'

type LoggerOptions = FastifyServerOptions['logger']
type Fields = Readonly<Record<string, unknown>>
type LazyLogger = new (raw: IncomingMessage, bindings: Fields) => FastifyBaseLogger

/** The keys of the request of a lazy logger, and of the fields that Fastify gives it. */
const rawKey = Symbol('headwaters.raw request')
const bindingsKey = Symbol('headwaters.bindings')

interface LazyFields {
  [rawKey]: IncomingMessage
  [bindingsKey]: Fields
}

/**
 * Returns the factory of the loggers of requests, whose lines have the trace of the request. Loggers that an app
 * derives from them have it too.
 *
 * @param logger - The options of the logger of the app.
 */
export function tracedLoggers(
  logger: LoggerOptions,
  sampledPercent: number,
): NonNullable<FastifyServerOptions['childLoggerFactory']> {
  const format = typeof logger === 'object' ? logger.formatters?.log : undefined
  let owner: FastifyBaseLogger | undefined
  let Lazy: LazyLogger | undefined
  return (log: FastifyBaseLogger, bindings, options, raw: IncomingMessage) => {
    if (activeTracing() === undefined) {
      if (owner === undefined) Lazy = lazyLogger((owner = log), logger, bindings, sampledPercent)
      if (Lazy !== undefined && owner === log && options.level === undefined && options.serializers === undefined)
        return new Lazy(raw, bindings)
      // Fastify creates the bindings and the options for this logger only.
      return log.child(Object.assign(bindings, fieldsOf(traceOf(raw, sampledPercent))), options)
    }
    traceOf(raw, sampledPercent)
    // The span of the request starts later, and a logger writes its own fields once. So each line reads the trace.
    const formatLine = (line: object) => ({
      ...traceFields(raw),
      ...(format === undefined ? line : format(line as Record<string, unknown>)),
    })
    return log.child(bindings, { ...options, formatters: { log: formatLine } })
  }
}

/**
 * Returns the class of loggers that write the lines of a child of `log`, but compute the text of their fields when a
 * line needs it. A child of pino computes it when it is created, and most requests write one line or none.
 *
 * @param sample - Fields as Fastify gives them to a logger.
 * @returns `undefined` if a child writes its fields in another way, or if pino does not keep them as text.
 */
function lazyLogger(
  log: FastifyBaseLogger,
  options: LoggerOptions,
  sample: Fields,
  sampledPercent: number,
): LazyLogger | undefined {
  const textKey = Object.getOwnPropertySymbols(log).find(({ description }) => description === 'pino.chindings')
  if (textKey === undefined || !isPlain(options, sample)) return undefined
  const textOf = (logger: object) => (logger as Readonly<Record<symbol, string>>)[textKey] as string
  const span = { traceId: 'trace', spanId: 'span', flags: 0 }
  if (textOf(log.child({ ...sample, ...fieldsOf(span) })) !== textOf(log) + bindingsText(sample) + fieldsText(span))
    return undefined
  function Lazy(this: LazyFields, raw: IncomingMessage, bindings: Fields) {
    this[rawKey] = raw
    this[bindingsKey] = bindings
  }
  Lazy.prototype = Object.create(log.child({}), {
    [textKey]: {
      get(this: LazyFields) {
        return textOf(log) + bindingsText(this[bindingsKey]) + fieldsText(traceOf(this[rawKey], sampledPercent))
      },
      // pino assigns the text of a derived logger, and that of `setBindings`.
      set(this: LazyFields, value: string) {
        Object.defineProperty(this, textKey, { value, writable: true, enumerable: true, configurable: true })
      },
    },
  })
  return Lazy as unknown as LazyLogger
}

/** Returns whether the options of a logger do not change the fields of its children. */
function isPlain(options: LoggerOptions, sample: Fields): boolean {
  if (typeof options !== 'object') return true
  const { serializers = {}, formatters, onChild } = options
  const names = [...Object.keys(sample), ...Object.keys(fieldsOf({ traceId: '', spanId: '', flags: 0 }))]
  return (
    formatters?.bindings === undefined && onChild === undefined && !names.some(name => Object.hasOwn(serializers, name))
  )
}

/** Returns fields as they are written after other fields. */
function bindingsText(fields: Fields): string {
  return `,${JSON.stringify(fields).slice(1, -1)}`
}
