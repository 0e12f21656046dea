import { readFileSync } from 'node:fs'
import { validateHeaderName, validateHeaderValue } from '../../core/node-http.ts'
import { readArguments } from '../read-arguments.ts'
import { UsageError } from '../usage-error.ts'
import type { RequestSpec } from './connection.ts'

/** The options of a load test, read from its arguments. */
export interface LoadOptions {
  readonly request: RequestSpec
  /**
   * Requests per second. `undefined` means a closed loop, in which each connection sends its next request after it has
   * received a reply.
   */
  readonly rate: number | undefined
  readonly connections: number
  readonly durationMs: number
  readonly warmUpMs: number
  readonly json: boolean
  /** Bounds of the result. The exit code is 1 if a bound is exceeded. */
  readonly maxP99Ms: number | undefined
  readonly maxErrorPercent: number | undefined
}

/** The options of the command. */
export const flags = {
  rate: { type: 'string', default: '100' },
  connections: { type: 'string', default: '100' },
  duration: { type: 'string', default: '10s' },
  'warm-up': { type: 'string', default: '2s' },
  timeout: { type: 'string', default: '10s' },
  method: { type: 'string' },
  header: { type: 'string', multiple: true, default: [] as string[] },
  body: { type: 'string' },
  'body-file': { type: 'string' },
  insecure: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  'max-p99': { type: 'string' },
  'max-errors': { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** Reads the arguments. Returns `undefined` for `--help`. Throws a `UsageError` for an invalid argument. */
export function readLoadOptions(args: readonly string[]): LoadOptions | undefined {
  const {
    values,
    positionals: [address, ...others],
  } = readArguments(args, flags)
  if (values.help) return undefined
  if (address === undefined)
    throw new UsageError(
      'load needs the URL of a running service, for example: headwaters load http://127.0.0.1:3000/v1/cat-facts',
    )
  if (others.length > 0) throw new UsageError(`load takes one URL: remove '${others[0]}'`)
  const body = readBody(values.body, values['body-file'])
  const method = values.method ?? (body === undefined ? 'GET' : 'POST')
  if (!/^[A-Za-z]+$/.test(method) || /^connect$/i.test(method))
    throw new UsageError(`--method must be an HTTP method other than CONNECT, got '${method}'`)
  return {
    request: {
      url: readUrl(address),
      method: method.toUpperCase(),
      body,
      isInsecure: values.insecure,
      headers: readHeaders(values.header, body !== undefined),
      timeoutMs: readTime('timeout', values.timeout),
    },
    rate: values.rate === 'max' ? undefined : readNumber('rate', values.rate, 0.1, 100_000, ' or max'),
    connections: readNumber('connections', values.connections, 1, 10_000),
    durationMs: readTime('duration', values.duration),
    warmUpMs: values['warm-up'] === '0' ? 0 : readTime('warm-up', values['warm-up'], 0),
    json: values.json,
    maxP99Ms: values['max-p99'] === undefined ? undefined : readTime('max-p99', values['max-p99']),
    maxErrorPercent:
      values['max-errors'] === undefined
        ? undefined
        : readNumber('max-errors', values['max-errors'].replace(/%$/, ''), 0, 100),
  }
}

function readUrl(text: string): URL {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError(`the URL must begin with http:// or https://, got '${text}'`)
  if (url.username !== '' || url.password !== '')
    throw new UsageError("the URL must not contain a user or a password: use --header 'authorization: …'")
  return url
}

function readTime(name: string, text: string, least = 1): number {
  const ms = parseDuration(text)
  // The limit is one day, because Node's timers accept at most 24.8 days.
  if (ms === undefined || ms < least || ms > 86_400_000)
    throw new UsageError(`--${name} must be a time such as 500ms, 30s or 2m, at most 24h, got '${text}'`)
  return ms
}

function readNumber(name: string, text: string, least: number, most: number, or = ''): number {
  const number = Number(text)
  const mustBeInteger = name === 'connections'
  const isValid = /^\d+(\.\d+)?$/.test(text) && (!mustBeInteger || Number.isInteger(number))
  if (!isValid || number < least || number > most)
    throw new UsageError(
      `--${name} must be ${mustBeInteger ? 'an integer' : 'a number'} from ${least} to ${most}${or}, got '${text}'`,
    )
  return number
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Parses a duration such as `250ms`, `30s`, `1.5m` or `1h` to ms. Returns `undefined` for any other text. */
function parseDuration(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? []
  return unit === '' ? undefined : Number(number) * (units[unit] as number)
}

function readBody(text: string | undefined, file: string | undefined): Buffer | undefined {
  if (text !== undefined && file !== undefined)
    throw new UsageError('--body and --body-file exclude each other: remove one of them')
  if (file === undefined) return text === undefined ? undefined : Buffer.from(text)
  try {
    return readFileSync(file)
  } catch (error) {
    throw new UsageError(`--body-file: cannot read '${file}': ${(error as Error).message}`, { cause: error })
  }
}

function readHeaders(given: readonly string[], hasBody: boolean): string[] {
  const headers = given.flatMap(line => {
    const colon = line.indexOf(':')
    const [name, value] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    } catch (error) {
      throw new UsageError(`--header must be 'name: value', got '${line}'`, { cause: error })
    }
    return [name, value]
  })
  const isGiven = (name: string) => headers.some((each, at) => at % 2 === 0 && each.toLowerCase() === name)
  if (hasBody && !isGiven('content-type')) headers.push('content-type', 'application/json')
  if (!isGiven('user-agent')) headers.push('user-agent', 'headwaters-load')
  return headers
}
