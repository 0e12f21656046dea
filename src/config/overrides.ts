import { z } from 'zod'
import { textSchema } from '../core/schema/text-schema.ts'
import { reasonOf } from '../errors.ts'
import type { Override } from '../upstream/runtime.ts'
import { originFault } from '../upstream/spec/origin.ts'
import type { OriginOptions } from '../upstream/spec/origin-options.ts'
import { originSpecs } from '../upstream/spec/origins-spec.ts'
import { readOrigins } from '../upstream/spec/read-origins.ts'
import { oneOf, whole, wholeOr } from './value-schemas.ts'

const Overrides = z.object({
  ORIGIN: z
    .string()
    .superRefine((origin, context) => {
      const fault = originFault(origin)
      if (fault !== undefined) context.addIssue(fault)
    })
    .optional(),
  ORIGINS: z.string().transform(readOriginList).optional(),
  CONCURRENCY: wholeOr('adaptive', 1, 65_535).optional(),
  ATTEMPT_TIMEOUT_MS: whole(1, 600_000).optional(),
  OFF: oneOf(['0', '1']).optional(),
})

const overridePattern =
  /^HEADWATERS_UPSTREAM_([A-Z0-9_]+?)_(ORIGINS|ORIGIN|CONCURRENCY|ATTEMPT_TIMEOUT_MS|OFF|SLOTS|TIMEOUT_MS)$/

/** Old names of variables and their new names. Until 1.0, an old name is an error that shows the new name. */
const renamedOverrides: Readonly<Record<string, string>> = { SLOTS: 'CONCURRENCY', TIMEOUT_MS: 'ATTEMPT_TIMEOUT_MS' }

/** Reads the variables `HEADWATERS_UPSTREAM_…`, and adds their faults to a list. */
export function readOverrides(
  environment: Readonly<Record<string, string | undefined>>,
  upstreams: readonly string[],
  faults: string[],
): Readonly<Record<string, Override>> {
  const overrides: Record<string, Override> = {}
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('HEADWATERS_UPSTREAM_') || value === undefined || value.trim() === '') continue
    const fault = readOverride(variable, value, upstreams, overrides)
    if (fault !== undefined) faults.push(`${variable}: ${fault}`)
  }
  return Object.freeze(overrides)
}

function readOverride(
  variable: string,
  value: string,
  upstreams: readonly string[],
  overrides: Record<string, Override>,
): string | undefined {
  const [, upper, key] = overridePattern.exec(variable) ?? []
  if (upper === undefined || key === undefined)
    return 'is not a known variable: an upstream has _ORIGIN, _ORIGINS, _CONCURRENCY, _ATTEMPT_TIMEOUT_MS and _OFF'
  const renamed = renamedOverrides[key]
  if (renamed !== undefined) return `was renamed to HEADWATERS_UPSTREAM_${upper}_${renamed}`
  const name = upstreams.find(each => each.toUpperCase().replaceAll('-', '_') === upper)
  if (name === undefined) return `matches no upstream: the upstreams are ${upstreams.join(', ')}`
  const { success, data, error } = textSchema(Overrides).safeParse({ [key]: value.trim() }) as z.ZodSafeParseResult<
    z.output<typeof Overrides>
  >
  if (!success) return [...new Set(error.issues.map(reasonOf))].join('; ')
  const {
    ORIGIN: origin,
    ORIGINS: origins,
    CONCURRENCY: concurrency,
    ATTEMPT_TIMEOUT_MS: attemptTimeout,
    OFF: off,
  } = data
  const before = overrides[name]
  if (
    (origin !== undefined && before?.origins !== undefined) ||
    (origins !== undefined && before?.origin !== undefined)
  )
    return `excludes HEADWATERS_UPSTREAM_${upper}_${origin === undefined ? 'ORIGIN' : 'ORIGINS'}: set one of them`
  overrides[name] = {
    ...before,
    ...(origin !== undefined && { origin }),
    ...(origins !== undefined && { origins }),
    ...(concurrency !== undefined && { concurrency }),
    ...(attemptTimeout !== undefined && { attemptTimeout }),
    ...(off !== undefined && { off: off === '1' }),
  }
  return undefined
}

/** Reads the origins of an upstream. */
function readOriginList(text: string, context: z.RefinementCtx): readonly OriginOptions[] {
  try {
    const origins = readOrigins('origins', text)
    originSpecs('origins', origins)
    return Object.freeze(origins)
  } catch (error) {
    context.addIssue((error as Error).message)
    return z.NEVER
  }
}
