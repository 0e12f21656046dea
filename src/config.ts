import { z } from 'zod'
import { reasonOf } from './errors.ts'
import { originFault } from './upstream/origin.ts'
import type { Override } from './upstream/runtime.ts'

const whole = (from: number, to: number) => z.coerce.number().int().min(from).max(to)

/** The environment that is read; `docs/options.md` is held against it by a test. */
export const Environment = z.object({
  HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
  PORT: whole(0, 65_535).default(3000).describe('Port to listen on; 0 takes any free one.'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  DRAIN_MS: whole(0, 600_000).default(10_000).describe('How long requests in flight may take after SIGTERM, in ms.'),
})

const Overrides = z.object({
  ORIGIN: z.string().superRefine((origin, context) => {
    const fault = originFault(origin, true)
    if (fault !== undefined) context.addIssue(fault)
  }).optional(),
  SLOTS: z.union([z.literal('adaptive'), whole(1, 65_535)], 'must be a whole number from 1 to 65535, or adaptive').optional(),
  TIMEOUT_MS: whole(1, 600_000).optional(),
  OFF: z.enum(['0', '1']).optional(),
})

/** Everything that is set from outside, checked and frozen. */
export interface Config {
  readonly host: string
  readonly port: number
  readonly logLevel: z.output<typeof Environment>['LOG_LEVEL']
  /** How long requests in flight may take after SIGTERM, in ms. */
  readonly drainMs: number
  /** By the upstream's name. */
  readonly overrides: Readonly<Record<string, Override>>
}

/** Configuration that cannot be used; its message has one line a fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const overridePattern = /^HEADWATERS_UPSTREAM_([A-Z0-9_]+?)_(ORIGIN|SLOTS|TIMEOUT_MS|OFF)$/

/** Reads the environment; throws a `ConfigError` that names every variable that is wrong, and why. */
export function readConfig (environment: Readonly<Record<string, string | undefined>>, upstreams: readonly string[]): Config {
  const faults: string[] = []
  const { success, data, error } = Environment.safeParse(blankless(environment))
  if (!success) for (const { path, message } of error.issues) faults.push(`${path.join('.')}: ${reasonOf({ message })}`)

  const overrides: Record<string, Override> = {}
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('HEADWATERS_UPSTREAM_') || value === undefined || value.trim() === '') continue
    const fault = readOverride(variable, value, upstreams, overrides)
    if (fault !== undefined) faults.push(`${variable}: ${fault}`)
  }

  if (!success || faults.length > 0) throw new ConfigError(faults.join('\n'))
  return Object.freeze({
    host: data.HOST, port: data.PORT, logLevel: data.LOG_LEVEL, drainMs: data.DRAIN_MS,
    overrides: Object.freeze(overrides),
  })
}

function readOverride (variable: string, value: string, upstreams: readonly string[], overrides: Record<string, Override>): string | undefined {
  const [, upper, key] = overridePattern.exec(variable) ?? []
  if (upper === undefined || key === undefined) return 'is not known: an upstream takes _ORIGIN, _SLOTS, _TIMEOUT_MS and _OFF'
  const name = upstreams.find(each => each.toUpperCase().replaceAll('-', '_') === upper)
  if (name === undefined) return `names no upstream: there are ${upstreams.join(', ')}`
  const { success, data, error } = Overrides.safeParse({ [key]: value })
  if (!success) return error.issues.map(reasonOf).join('; ')
  const { ORIGIN: origin, SLOTS: slots, TIMEOUT_MS: timeout, OFF: off } = data
  overrides[name] = {
    ...overrides[name],
    ...origin !== undefined && { origin },
    ...slots !== undefined && { slots },
    ...timeout !== undefined && { timeout },
    ...off !== undefined && { off: off === '1' },
  }
  return undefined
}

/** A variable that is set to nothing counts as not set, as shells have it. */
function blankless (environment: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim() !== ''))
}
