import { BlockList, isIP } from 'node:net'
import { z } from 'zod'
import { reasonOf } from './errors.ts'
import { readInfo, type OpenapiInfo } from './http/openapi/info.ts'
import type { ThreadOptions } from './threads/threads.ts'
import { originFault } from './upstream/spec/origin.ts'
import type { Override } from './upstream/runtime.ts'
import { textSchema } from './core/schema/text-schema.ts'

const whole = (from: number, to: number) => z.coerce.number().int().min(from).max(to)

/** The environment that is read; `docs/options.md` is held against it by a test. */
export const Environment = z.object({
  HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
  PORT: whole(0, 65_535).default(3000).describe('Port to listen on; 0 takes any free one.'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  LOG_FORMAT: z.enum(['auto', 'json', 'text']).default('auto'),
  DRAIN_MS: whole(0, 600_000).default(10_000).describe('How long requests in flight may take after SIGTERM, in ms.'),
  MAX_RUNS: whole(0, 1_000_000).default(1000),
  MAX_LOOP_DELAY_MS: whole(0, 60_000).default(500),
  MAX_HEAP_PERCENT: whole(0, 100).default(70),
  MAX_MEMORY_PERCENT: whole(0, 100).default(90),
  MAX_BODIES_BYTES: whole(0, 68_719_476_736).default(67_108_864),
  OFFLOAD_THREADS: z
    .union([z.literal('auto'), whole(1, 1024)], 'must be a whole number from 1 to 1024, or auto')
    .default('auto'),
  OFFLOAD_QUEUE: whole(0, 1_000_000).default(256),
  RATE_LIMIT: whole(0, 1_000_000).default(0),
  TRUST_PROXY: z.string().default('false').transform(readTrustProxy),
  API_KEYS: z.string().default('').transform(readKeys),
  CORS_ORIGINS: z.string().default('').transform(readOrigins),
  OPENAPI_INFO: z.string().default('').describe('The `info` of the API document: JSON, or @ and a file.'),
  BODY_LIMIT_BYTES: whole(1, 1_073_741_824).default(1_048_576),
  HEADER_LIMIT_BYTES: whole(1024, 1_048_576).default(16_384),
  REQUEST_TIMEOUT_MS: whole(100, 3_600_000).default(30_000),
  REPLY_TIMEOUT_MS: whole(100, 3_600_000).default(30_000),
  KEEP_ALIVE_MS: whole(100, 3_600_000).default(72_000),
  HEADWATERS_WORKERS: z
    .union([z.literal('auto'), whole(1, 1024)], 'must be a whole number from 1 to 1024, or auto')
    .default(1),
  WORKER_HEARTBEAT_MS: whole(0, 600_000)
    .refine(ms => ms === 0 || ms >= 1000, 'must be 0, or 1000 or more')
    .default(10_000),
})

const Overrides = z.object({
  ORIGIN: z
    .string()
    .superRefine((origin, context) => {
      const fault = originFault(origin, true)
      if (fault !== undefined) context.addIssue(fault)
    })
    .optional(),
  CONCURRENCY: z
    .union([z.literal('adaptive'), whole(1, 65_535)], 'must be a whole number from 1 to 65535, or adaptive')
    .optional(),
  ATTEMPT_TIMEOUT_MS: whole(1, 600_000).optional(),
  OFF: z.enum(['0', '1']).optional(),
})

/** The protection of the service from its callers. `buildApp` describes each field. */
export interface Inbound {
  readonly limits: {
    readonly bodyBytes: number
    readonly headerBytes: number
    readonly requestTimeout: number
    readonly replyTimeout: number
    readonly keepAlive: number
  }
  readonly pressure: {
    readonly runs: number
    readonly loopDelay: number
    readonly heapPercent: number
    readonly memoryPercent: number
    readonly bodiesBytes: number
  }
  readonly rateLimit: number
  readonly trustProxy: boolean | readonly string[]
  readonly keys: readonly string[]
  readonly corsOrigins: readonly string[]
}

/** Everything that is set from outside, checked and frozen. */
export interface Config {
  readonly host: string
  readonly port: number
  readonly logLevel: z.output<typeof Environment>['LOG_LEVEL']
  /** `auto` is text where stdout is a terminal, and JSON elsewhere. */
  readonly logFormat: z.output<typeof Environment>['LOG_FORMAT']
  /** Time that requests in flight may take after SIGTERM, in ms. */
  readonly drainMs: number
  /** The `info` of the API document. @default that of the definitions */
  readonly info?: OpenapiInfo
  /** The protection of the service from its callers. */
  readonly inbound: Inbound
  /** The threads in which offloaded functions run. */
  readonly threads: ThreadOptions
  /**
   * The number of processes; `auto` is the number of cores.
   * @default 1
   */
  readonly workers?: number | 'auto'
  /** Time without a heartbeat after which a worker is killed and replaced, in ms; 0 is never. @default 10_000 */
  readonly heartbeatMs: number
  /** By the upstream's name. */
  readonly overrides: Readonly<Record<string, Override>>
}

/** Configuration that cannot be used; its message has one line a fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const overridePattern =
  /^HEADWATERS_UPSTREAM_([A-Z0-9_]+?)_(ORIGIN|CONCURRENCY|ATTEMPT_TIMEOUT_MS|OFF|SLOTS|TIMEOUT_MS)$/

/** Old names of these variables, refused with their new names until 1.0. */
const renamedOverrides: Readonly<Record<string, string>> = { SLOTS: 'CONCURRENCY', TIMEOUT_MS: 'ATTEMPT_TIMEOUT_MS' }

/** Reads the environment; throws a `ConfigError` that names every variable that is wrong, and why. */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
  upstreams: readonly string[],
): Config {
  const faults: string[] = []
  const { success, data, error } = textSchema(Environment).safeParse(blankless(environment)) as z.ZodSafeParseResult<
    z.output<typeof Environment>
  >
  if (!success) for (const { path, message } of error.issues) faults.push(`${path.join('.')}: ${reasonOf({ message })}`)

  const overrides: Record<string, Override> = {}
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('HEADWATERS_UPSTREAM_') || value === undefined || value.trim() === '') continue
    const fault = readOverride(variable, value, upstreams, overrides)
    if (fault !== undefined) faults.push(`${variable}: ${fault}`)
  }

  const info = success && data.OPENAPI_INFO !== '' ? infoOf(data.OPENAPI_INFO, faults) : undefined
  if (!success || faults.length > 0) throw new ConfigError(faults.join('\n'))
  return Object.freeze({
    host: data.HOST,
    port: data.PORT,
    logLevel: data.LOG_LEVEL,
    logFormat: data.LOG_FORMAT,
    drainMs: data.DRAIN_MS,
    heartbeatMs: data.WORKER_HEARTBEAT_MS,
    ...(info !== undefined && { info }),
    inbound: inboundOf(data),
    threads: Object.freeze({
      queue: data.OFFLOAD_QUEUE,
      ...(data.OFFLOAD_THREADS !== 'auto' && { count: data.OFFLOAD_THREADS }),
    }),
    ...(data.HEADWATERS_WORKERS !== 1 && { workers: data.HEADWATERS_WORKERS }),
    overrides: Object.freeze(overrides),
  })
}

function infoOf(text: string, faults: string[]): OpenapiInfo | undefined {
  try {
    return Object.freeze(readInfo('OPENAPI_INFO', text))
  } catch (error) {
    faults.push((error as Error).message)
    return undefined
  }
}

function readOverride(
  variable: string,
  value: string,
  upstreams: readonly string[],
  overrides: Record<string, Override>,
): string | undefined {
  const [, upper, key] = overridePattern.exec(variable) ?? []
  if (upper === undefined || key === undefined)
    return 'is not known: an upstream takes _ORIGIN, _CONCURRENCY, _ATTEMPT_TIMEOUT_MS and _OFF'
  const renamed = renamedOverrides[key]
  if (renamed !== undefined) return `was renamed to HEADWATERS_UPSTREAM_${upper}_${renamed}`
  const name = upstreams.find(each => each.toUpperCase().replaceAll('-', '_') === upper)
  if (name === undefined) return `names no upstream: there are ${upstreams.join(', ')}`
  const { success, data, error } = textSchema(Overrides).safeParse({ [key]: value.trim() }) as z.ZodSafeParseResult<
    z.output<typeof Overrides>
  >
  if (!success) return error.issues.map(reasonOf).join('; ')
  const { ORIGIN: origin, CONCURRENCY: concurrency, ATTEMPT_TIMEOUT_MS: attemptTimeout, OFF: off } = data
  overrides[name] = {
    ...overrides[name],
    ...(origin !== undefined && { origin }),
    ...(concurrency !== undefined && { concurrency }),
    ...(attemptTimeout !== undefined && { attemptTimeout }),
    ...(off !== undefined && { off: off === '1' }),
  }
  return undefined
}

function inboundOf(data: z.output<typeof Environment>): Inbound {
  return Object.freeze({
    limits: Object.freeze({
      bodyBytes: data.BODY_LIMIT_BYTES,
      headerBytes: data.HEADER_LIMIT_BYTES,
      requestTimeout: data.REQUEST_TIMEOUT_MS,
      replyTimeout: data.REPLY_TIMEOUT_MS,
      keepAlive: data.KEEP_ALIVE_MS,
    }),
    pressure: Object.freeze({
      runs: data.MAX_RUNS,
      loopDelay: data.MAX_LOOP_DELAY_MS,
      heapPercent: data.MAX_HEAP_PERCENT,
      memoryPercent: data.MAX_MEMORY_PERCENT,
      bodiesBytes: data.MAX_BODIES_BYTES,
    }),
    rateLimit: data.RATE_LIMIT,
    trustProxy: data.TRUST_PROXY,
    keys: data.API_KEYS,
    corsOrigins: data.CORS_ORIGINS,
  })
}

/** The entries of a list with commas. */
function entriesOf(list: string): string[] {
  return list
    .split(',')
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
}

/** Keys are named by their place, so that no fault shows one. */
function readKeys(list: string, context: z.RefinementCtx): readonly string[] {
  const keys = entriesOf(list)
  // Commas around nothing are what is left of secrets that were not there: they must not open the service.
  if (keys.length === 0 && list.trim() !== '')
    context.addIssue('holds no key: give one, or leave it unset to ask for none')
  for (const [index, key] of keys.entries()) {
    if (key.length < 16) context.addIssue(`key ${index + 1} has fewer than 16 characters`)
    else if (!/^[\w.~+/-]+=*$/.test(key))
      context.addIssue(`key ${index + 1} has a character that no bearer token has: use letters, digits and - . _ ~ + /`)
  }
  return Object.freeze(keys)
}

function readOrigins(list: string, context: z.RefinementCtx): readonly string[] {
  const origins = entriesOf(list)
  if (origins.length === 0 && list.trim() !== '') context.addIssue('holds no origin: give one, or leave it unset')
  for (const origin of origins) {
    if (origin !== '*' && (origin.includes('*') || URL.parse(origin)?.origin !== origin))
      context.addIssue(
        `'${origin}' is not an origin as browsers write it: write scheme, host and ` +
          'port, for example https://app.example, or * alone',
      )
  }
  if (origins.length > 1 && origins.includes('*')) context.addIssue('* is any origin, and stands alone')
  return Object.freeze(origins)
}

/** `true`, `false`, or the addresses and networks of the proxies. */
function readTrustProxy(value: string, context: z.RefinementCtx): boolean | readonly string[] {
  const text = value.trim()
  if (text === 'true' || text === 'false') return text === 'true'
  const networks = entriesOf(text)
  for (const network of networks)
    if (!isNetwork(network))
      context.addIssue(`'${network}' is neither true, false, an address nor a network such as 10.0.0.0/8`)
  return Object.freeze(networks)
}

function isNetwork(text: string): boolean {
  const [address = '', bits] = text.split('/')
  if (bits === undefined || isIP(address) === 0) return isIP(text) !== 0
  try {
    new BlockList().addSubnet(
      address,
      /^\d{1,3}$/.test(bits) ? Number(bits) : -1,
      isIP(address) === 6 ? 'ipv6' : 'ipv4',
    )
    return true
  } catch {
    return false
  }
}

/**
 * A variable that is set to nothing counts as not set, as shells have it; white space around a value is not part of it.
 */
function blankless(environment: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(environment)
      .map(([name, value]) => [name, value?.trim()] as const)
      .filter(([, value]) => value !== ''),
  )
}
