import { readFileSync } from 'node:fs'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { readArguments } from '../read-arguments.ts'
import { UsageError } from '../usage-error.ts'
import type { Question } from './connection.ts'
import { durationOf } from './duration.ts'

export interface Options {
  readonly question: Question
  /** Requests a second; without a rate every connection asks again when it has its answer. */
  readonly rate: number | undefined
  readonly connections: number
  readonly durationMs: number
  readonly warmUpMs: number
  readonly json: boolean
  /** Bounds that the exit code tells. */
  readonly maxP99Ms: number | undefined
  readonly maxErrorPercent: number | undefined
}

export const help = `load: asks a running service at a fixed rate and shows how long its answers take

Usage: npm run load -- URL [options]

A request is due every 1/rate of a second, whatever has become of the ones before, and its latency counts from the moment it was due. At most
as many as there are connections are in flight; what is due and finds all of them taken waits, and the wait is part of its latency.

Options
  --rate N|max             requests a second; with max each connection asks again when it has its answer (default 100)
  --connections N          requests in flight at most (default 100)
  --duration TIME          such as 500ms, 30s or 2m (default 10s)
  --warm-up TIME           before that, not in the result (default 2s)
  --timeout TIME           for one request, from when it is sent; also for what is not over after the duration (default 10s)
  --method NAME            (default GET; POST where there is a body)
  --header 'name: value'   may be repeated
  --body TEXT              sent with content-type: application/json unless a header says otherwise
  --body-file FILE         the same, from a file
  --insecure               takes any certificate
  --json                   prints the result as one JSON document, and draws nothing
  --max-p99 TIME           fails when the p99 is above this
  --max-errors PERCENT     fails when more requests than this were refused, failed, not answered or never sent
  --help                   prints this

Ctrl-C ends early and prints the result so far, a second one ends at once.

Exit codes: 0 ended as asked, 1 nothing was answered or a bound was violated, 2 wrong arguments, 130 interrupted, 143 terminated.
`

const flags = {
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

/**
 * Reads the arguments; throws a `UsageError` for what cannot be used, and gives nothing when only help was asked for.
 */
export function readOptions(args: readonly string[]): Options | undefined {
  const {
    values,
    positionals: [address, ...others],
  } = readArguments(args, flags)
  if (values.help) return undefined
  if (address === undefined)
    throw new UsageError(
      'load needs the URL of a running service, for example: npm run load -- http://127.0.0.1:3000/v1/cat-facts',
    )
  if (others.length > 0) throw new UsageError(`one URL is asked, and '${others[0]}' is another`)
  const body = readBody(values.body, values['body-file'])
  const method = values.method ?? (body === undefined ? 'GET' : 'POST')
  if (!/^[A-Za-z]+$/.test(method) || /^connect$/i.test(method)) throw new UsageError(`--method '${method}' is none`)
  return {
    question: {
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
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`'${text}' is no http or https URL`)
  if (url.username !== '' || url.password !== '')
    throw new UsageError("a URL with a password is not asked: give --header 'authorization: …'")
  return url
}

function readTime(name: string, text: string, least = 1): number {
  const ms = durationOf(text)
  // Node's timers take no more.
  if (ms === undefined || ms < least || ms > 86_400_000)
    throw new UsageError(`--${name} '${text}' is no time: give one such as 500ms, 30s or 2m, at most 24h`)
  return ms
}

function readNumber(name: string, text: string, least: number, most: number, or = ''): number {
  const number = Number(text)
  const isWhole = name !== 'connections' || Number.isInteger(number)
  if (!/^\d+(\.\d+)?$/.test(text) || !isWhole || number < least || number > most)
    throw new UsageError(
      `--${name} '${text}' is none: give a${isWhole && name !== 'connections' ? '' : ' whole'} number from ${least} to ${most}${or}`,
    )
  return number
}

function readBody(text: string | undefined, file: string | undefined): Buffer | undefined {
  if (text !== undefined && file !== undefined) throw new UsageError('--body and --body-file are two bodies: give one')
  if (file === undefined) return text === undefined ? undefined : Buffer.from(text)
  try {
    return readFileSync(file)
  } catch (error) {
    throw new UsageError(`--body-file '${file}' cannot be read: ${(error as Error).message}`, { cause: error })
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
      throw new UsageError(`--header '${line}' is none: give 'name: value'`, { cause: error })
    }
    return [name, value]
  })
  const isGiven = (name: string) => headers.some((each, at) => at % 2 === 0 && each.toLowerCase() === name)
  if (hasBody && !isGiven('content-type')) headers.push('content-type', 'application/json')
  if (!isGiven('user-agent')) headers.push('user-agent', 'headwaters-load')
  return headers
}
